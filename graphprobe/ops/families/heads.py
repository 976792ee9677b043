"""Where channels become outputs: decoding, suppression, losses, metrics, fetch."""

from __future__ import annotations

from functools import partial

from graphprobe.ops.channels.rules import blocks
from graphprobe.ops.facets import HeadSlot, NoMap, family, operators
from graphprobe.ops.shapes.contents import passed
from graphprobe.ops.shapes.spec import Declared
from graphprobe.ops.spatial.rules import same
from graphprobe.ops.work.rules import ELEMENTS, MOVES, SEARCHES

_DECODES = blocks("the decoding expects this number of channels", "output")
_LOSS = blocks("a loss compares these channels with its target", "output")
_BOXES = NoMap("it makes boxes and scores, one row each, and no map")
_OWN = Declared("its sizes follow from values or from attributes of each op")
_NUMBER = NoMap("it makes a number that sums up a batch")
_SUPPRESSED = (HeadSlot("Scores"), HeadSlot("BBoxes", "box"))

_loss = partial(operators, kind="loss", channels=_LOSS, spatial=same, shapes=_OWN, work=ELEMENTS)
_decoding = partial(
    operators, kind="decode", channels=_DECODES, spatial=_BOXES, shapes=_OWN, work=SEARCHES
)
# They pick the best path through scores of classes.
_picking = partial(_decoding, kind="path")

_PIR = """
accuracy : Out Indices Label > Accuracy Correct Total
cross_entropy_with_softmax = softmax_with_cross_entropy : Logits Label > Softmax Loss
sigmoid_cross_entropy_with_logits : X Label pos_weight > Out
bce_loss : X Label > Out
huber_loss : X Y > Out Residual
kldiv_loss : X Target > Loss
log_loss : Predicted Labels > Loss
nll_loss : X Label Weight > Out Total_weight
yolo_loss = yolov3_loss : X GTBox GTLabel GTScore > Loss ObjectnessMask GTMatchMask
yolo_box : X ImgSize > Boxes Scores
multiclass_nms3 : BBoxes Scores RoisNum > Out Index NmsRoisNum
multiclass_nms : BBoxes Scores > Out
matrix_nms : BBoxes Scores > Out Index RoisNum
nms : Boxes > KeepBoxesIdxs ; threshold=iou_threshold
box_coder : PriorBox PriorBoxVar TargetBox > OutputBox
box_clip : Input ImInfo > Output
distribute_fpn_proposals : FpnRois RoisNum > MultiFpnRois MultiLevelRoIsNum RestoreIndex
collect_fpn_proposals : MultiLevelRois MultiLevelScores MultiLevelRoIsNum > FpnRois RoisNum
generate_proposals = generate_proposals_v2 : Scores BboxDeltas ImShape Anchors Variances > \
RpnRois RpnRoiProbs RpnRoisNum
fetch : X > Out
"""

FAMILY = family(
    "heads",
    _decoding(
        "yolo_box yolo_box_head yolo_box_post", heads=(HeadSlot("X", "any"),), computes="yolo"
    ),
    _decoding(
        "multiclass_nms multiclass_nms2:multiclass_nms multiclass_nms3:multiclass_nms matrix_nms "
        "locality_aware_nms",
        heads=_SUPPRESSED,
    ),
    _decoding("nms"),
    _decoding("box_coder", heads=(HeadSlot("TargetBox", "box"),)),
    _decoding(
        "generate_proposals generate_proposals_v2:generate_proposals",
        heads=(HeadSlot("Scores"), HeadSlot("BboxDeltas", "box")),
        computes="proposals",
    ),
    _picking("crf_decoding", heads=(HeadSlot("Emission"),)),
    _picking("ctc_align", heads=(HeadSlot("Input"),)),
    _picking("beam_search beam_search_decode viterbi_decode gather_tree edit_distance"),
    _decoding(
        "retinanet_detection_output box_clip box_decoder_and_assign generate_proposal_labels "
        "generate_mask_labels rpn_target_assign retinanet_target_assign "
        "distribute_fpn_proposals collect_fpn_proposals polygon_box_transform bipartite_match "
        "target_assign mine_hard_examples roi_perspective_transform"
    ),
    _loss("yolov3_loss", heads=(HeadSlot("X", "any"),), computes="yolo"),
    _loss(
        "softmax_with_cross_entropy margin_cross_entropy c_softmax_with_cross_entropy",
        heads=(HeadSlot("Logits"),),
    ),
    _loss("warpctc", heads=(HeadSlot("Logits"),)),
    _loss("warprnnt", heads=(HeadSlot("input"),)),
    _loss("cross_entropy cross_entropy2 nll_loss", heads=(HeadSlot("X", squashed=True),)),
    _loss("bpr_loss", heads=(HeadSlot("X"),)),
    _loss(
        "sigmoid_cross_entropy_with_logits sigmoid_focal_loss teacher_student_sigmoid_loss "
        "modified_huber_loss",
        heads=(HeadSlot("X", "binary"),),
    ),
    _loss("bce_loss", heads=(HeadSlot("X", "binary", squashed=True),)),
    _loss("log_loss", heads=(HeadSlot("Predicted", "binary", squashed=True),)),
    _loss("hinge_loss", heads=(HeadSlot("Logits", "binary"),)),
    _loss("linear_chain_crf", heads=(HeadSlot("Emission"),)),
    _loss(
        "smooth_l1_loss huber_loss squared_l2_distance square_error_cost iou_similarity",
        heads=(HeadSlot("X", "box"),),
    ),
    _loss("kldiv_loss", heads=(HeadSlot("X", "any", squashed=True),)),
    _loss(
        "rank_loss margin_rank_loss npair_loss center_loss hierarchical_sigmoid nce cvm "
        "sample_logits cos_sim"
    ),
    operators(
        "accuracy auc precision_recall detection_map mean_iou chunk_eval positive_negative_pair",
        kind="metric",
        channels=_LOSS,
        spatial=_NUMBER,
        shapes=Declared("it makes numbers of its own"),
        work=SEARCHES,
    ),
    operators(
        "fetch fetch_v2:fetch",
        kind="output",
        channels=blocks("these channels are an output of the program", "output"),
        spatial=NoMap("it hands a value out"),
        shapes=passed("X"),
        work=MOVES,
    ),
    pir=_PIR,
)
