"""Where channels become answers: decoding, suppression, losses, metrics, fetch."""

from __future__ import annotations

from graphprobe.ops.shared_rules import blocks
from graphprobe.ops.spec import Family, OpSpec, table

_DECODES = OpSpec(blocks("the decoding expects this number of channels", "output"))
_LOSS = OpSpec(blocks("a loss compares these channels with its target", "output"))
_FETCH = OpSpec(blocks("these channels are an output of the program", "output"))

FAMILY = Family(
    "heads",
    table(
        (
            _DECODES,
            "yolo_box yolo_box_head yolo_box_post multiclass_nms multiclass_nms2 "
            "multiclass_nms3 matrix_nms locality_aware_nms nms box_coder box_clip "
            "box_decoder_and_assign generate_proposals generate_proposals_v2 "
            "generate_proposal_labels retinanet_detection_output distribute_fpn_proposals "
            "collect_fpn_proposals polygon_box_transform bipartite_match target_assign "
            "mine_hard_examples iou_similarity ctc_align crf_decoding beam_search "
            "beam_search_decode edit_distance",
        ),
        (
            _LOSS,
            "yolov3_loss softmax_with_cross_entropy cross_entropy cross_entropy2 "
            "sigmoid_cross_entropy_with_logits bce_loss sigmoid_focal_loss huber_loss "
            "smooth_l1_loss kldiv_loss log_loss rank_loss margin_rank_loss bpr_loss nll_loss "
            "hinge_loss warpctc warprnnt linear_chain_crf squared_l2_distance npair_loss "
            "center_loss teacher_student_sigmoid_loss modified_huber_loss hierarchical_sigmoid "
            "nce margin_cross_entropy c_softmax_with_cross_entropy accuracy auc "
            "precision_recall detection_map mean_iou chunk_eval",
        ),
        (_FETCH, "fetch fetch_v2"),
    ),
)
