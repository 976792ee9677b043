"""What the operators of PIR are called in ProgramDesc: types, slots, attributes.

Facts taken from paddle/phi/ops/yaml/ops.yaml (order of operands) and op_compat.yaml (names).
A line reads ``pir_name = type : input slots > output slots ; attribute=its name in ProgramDesc``.
The type is left out where it is the same, the slots where they are ``X > Out``. ``Slot@attr`` is
an operand that ProgramDesc keeps in an attribute when it is constant, in the slot when it is not.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache

_INTERP = "X OutSize SizeTensor Scale > Out ; data_format=data_layout"
_NORM = "X Mean Variance Scale Bias > Y MeanOut VarianceOut SavedMean SavedVariance ReserveSpace"
_REDUCE = "X Axis@dim > Out ; axis=dim keepdim=keep_dim"

_TABLE = f"""
conv2d : Input Filter > Output
conv3d : Input Filter > Output
depthwise_conv2d : Input Filter > Output
conv2d_transpose : Input Filter OutputSize@output_size > Output
depthwise_conv2d_transpose : Input Filter OutputSize@output_size > Output
conv2d_transpose_bias : Input Filter Bias OutputSize@output_size > Output
conv3d_transpose : Input Filter > Output
deformable_conv : Input Offset Filter Mask > Output
fused_conv2d_add_act : Input Filter Bias ResidualData > Output Outputs

batch_norm : {_NORM} ; data_format=data_layout
sync_batch_norm : {_NORM} ; data_format=data_layout
layer_norm : X Scale Bias > Y Mean Variance
group_norm : X Scale Bias > Y Mean Variance ; data_format=data_layout
instance_norm : X Scale Bias > Y SavedMean SavedVariance
norm : X > Out Norm
affine_channel : X Scale Bias > Out

pool2d : X KernelSize@ksize > Out ; kernel_size=ksize
pool3d ; kernel_size=ksize
max_pool2d_with_index : X > Out Mask ; kernel_size=ksize
max_pool3d_with_index : X > Out Mask ; kernel_size=ksize
unpool : X Indices OutputSize@output_size > Out ; padding=paddings
nearest_interp = nearest_interp_v2 : {_INTERP}
bilinear_interp = bilinear_interp_v2 : {_INTERP}
bicubic_interp = bicubic_interp_v2 : {_INTERP}
linear_interp = linear_interp_v2 : {_INTERP}
trilinear_interp = trilinear_interp_v2 : {_INTERP}
grid_sample = grid_sampler : X Grid > Output
affine_grid : Theta OutputShape@output_shape > Output
unfold : X > Y
fold : X > Y

add = elementwise_add : X Y > Out
subtract = elementwise_sub : X Y > Out
multiply = elementwise_mul : X Y > Out
divide = elementwise_div : X Y > Out
maximum = elementwise_max : X Y > Out
minimum = elementwise_min : X Y > Out
remainder = elementwise_mod : X Y > Out
floor_divide = elementwise_floordiv : X Y > Out
fmax = elementwise_fmax : X Y > Out
fmin = elementwise_fmin : X Y > Out
heaviside = elementwise_heaviside : X Y > Out
elementwise_pow : X Y > Out
grad_add : X Y > Out
add_n = sum
atan2 : X1 X2 > Out
complex : X Y > Out
equal : X Y > Out
not_equal : X Y > Out
less_than : X Y > Out
less_equal : X Y > Out
greater_than : X Y > Out
greater_equal : X Y > Out
logical_and : X Y > Out
logical_or : X Y > Out
logical_xor : X Y > Out
bitwise_and : X Y > Out
bitwise_or : X Y > Out
bitwise_xor : X Y > Out
where : Condition X Y > Out
nonzero = where_index : Condition > Out

hardswish = hard_swish
hardsigmoid = hard_sigmoid
hardshrink = hard_shrink
hardtanh = brelu
softshrink ; threshold=lambda
leaky_relu ; negative_slope=alpha
prelu : X Alpha > Out
pow : X FactorTensor@factor > Out ; y=factor
clip : X Min@min Max@max > Out
scale : X ScaleTensor@scale > Out
dropout : X Seed DropoutProb@dropout_prob > Out Mask ; p=dropout_prob mode=dropout_implementation
isfinite = isfinite_v2
isinf = isinf_v2
isnan = isnan_v2

matmul = matmul_v2 : X Y > Out ; transpose_x=trans_x transpose_y=trans_y
matmul_with_flatten = mul : X Y > Out
bmm : X Y > Out
mv : X Vec > Out
dot : X Y > Out
addmm : Input X Y > Out ; alpha=Alpha beta=Beta
einsum : Operands > Out InnerCache XShape
fc : Input W Bias > Out
fused_gemm_epilogue : X Y Bias > Out ReserveSpace
embedding = lookup_table_v2 : Ids W > Out ; sparse=is_sparse

reshape = reshape2 : X Shape@shape > Out XShape
transpose = transpose2 : X > Out XShape ; perm=axis
flatten = flatten_contiguous_range : X > Out XShape
squeeze = squeeze2 : X Axes@axes > Out XShape ; axis=axes
unsqueeze = unsqueeze2 : X AxesTensor@axes > Out XShape ; axis=axes
concat : X AxisTensor@axis > Out
split : X SectionsTensorList@sections AxisTensor@axis > Out
split_with_num = split : X AxisTensor@axis > Out
stack : X > Y
unstack : X > Y
slice : Input StartsTensor@starts EndsTensor@ends > Out
strided_slice : Input StartsTensor@starts EndsTensor@ends StridesTensor@strides > Out
crop = crop_tensor : X Shape@shape Offsets@offsets > Out
tile : X RepeatTimes@repeat_times > Out
expand = expand_v2 : X Shape@shape > Out
expand_as = expand_as_v2 : X Y > Out
gather : X Index Axis@axis > Out
gather_nd : X Index > Out
scatter : X Ids Updates > Out
scatter_nd_add : X Index Updates > Out
index_select : X Index > Out ; axis=dim
index_sample : X Index > Out
take_along_axis : Input Index > Result ; axis=Axis
put_along_axis : Input Index Value > Result ; axis=Axis reduce=Reduce
masked_select : X Mask > Y
roll : X ShiftsTensor@shifts > Out
reverse : X Axis@axis > Out
pad : X PadValue@pad_value > Out
pad3d : X Paddings@paddings > Out ; pad_value=value
shape : Input > Out
shape64 = shape : Input > Out
numel = size : Input > Out
cast ; dtype=out_dtype
full = fill_constant : > Out
full_int_array = assign_value : > Out ; value=values
full_with_tensor = fill_constant : ValueTensor ShapeTensor@shape > Out
full_like = fill_any_like : X Value@value > Out
full_batch_size_like = fill_constant_batch_size_like : Input > Out
gaussian = gaussian_random : ShapeTensor@shape > Out
uniform = uniform_random : ShapeTensor@shape Min@min Max@max > Out
arange = range : Start@start End@end Step@step > Out
linspace : Start Stop Num > Out
one_hot = one_hot_v2 : X depth_tensor@depth > Out
trunc : X > Out
diagonal : Input > Out

mean = reduce_mean : {_REDUCE}
sum = reduce_sum : {_REDUCE} dtype=out_dtype
max = reduce_max : {_REDUCE}
min = reduce_min : {_REDUCE}
prod = reduce_prod : {_REDUCE}
any = reduce_any : {_REDUCE}
all = reduce_all : {_REDUCE}
amax = reduce_amax : {_REDUCE}
amin = reduce_amin : {_REDUCE}
frobenius_norm : {_REDUCE}
mean_all = mean
argmax = arg_max : X Axis@axis > Out
argmin = arg_min : X Axis@axis > Out
argsort : X > Out Indices
topk = top_k_v2 : X K@k > Out Indices
cumsum : X Axis@axis > Out
accuracy : Out Indices Label > Accuracy Correct Total

cross_entropy_with_softmax = softmax_with_cross_entropy : Logits Label > Softmax Loss
sigmoid_cross_entropy_with_logits : X Label pos_weight > Out
bce_loss : X Label > Out
huber_loss : X Y > Out Residual
kldiv_loss : X Target > Loss
log_loss : Predicted Labels > Loss
nll_loss : X Label Weight > Out Total_weight
label_smooth : X PriorDist > Out
yolo_loss = yolov3_loss : X GTBox GTLabel GTScore > Loss ObjectnessMask GTMatchMask

yolo_box : X ImgSize > Boxes Scores
multiclass_nms3 : BBoxes Scores RoisNum > Out Index NmsRoisNum
multiclass_nms : BBoxes Scores > Out
matrix_nms : BBoxes Scores > Out Index RoisNum
nms : Boxes > KeepBoxesIdxs ; threshold=iou_threshold
prior_box : Input Image > Boxes Variances
anchor_generator : Input > Anchors Variances
box_coder : PriorBox PriorBoxVar TargetBox > OutputBox
box_clip : Input ImInfo > Output
roi_align : X ROIs RoisNum > Out
roi_pool : X ROIs RoisNum > Out Argmax
psroi_pool : X ROIs RoisNum > Out
distribute_fpn_proposals : FpnRois RoisNum > MultiFpnRois MultiLevelRoIsNum RestoreIndex
collect_fpn_proposals : MultiLevelRois MultiLevelScores MultiLevelRoIsNum > FpnRois RoisNum
generate_proposals = generate_proposals_v2 : Scores BboxDeltas ImShape Anchors Variances > \
RpnRois RpnRoiProbs RpnRoisNum

rnn : Input PreState WeightList SequenceLength DropoutState > Out DropoutState State Reserve
quantize_linear : X Scale ZeroPoint InAccum InState > Y OutScale OutAccum OutState
dequantize_linear : X Scale ZeroPoint InAccum InState > Y OutScale OutAccum OutState
fake_quantize_dequantize_moving_average_abs_max : X InScale InAccum InState > \
Out OutScale OutState OutAccum
fake_channel_wise_quantize_dequantize_abs_max : X > Out OutScale
fake_quantize_dequantize_abs_max : X > Out OutScale
sgd : Param LearningRate Grad MasterParam > ParamOut MasterParamOut
momentum : Param Grad Velocity LearningRate MasterParam > ParamOut VelocityOut MasterParamOut
fetch : X > Out
"""


@dataclass(frozen=True, slots=True)
class OpNames:
    """How one PIR operator reads in ProgramDesc.

    Args:
        type: op type.
        inputs: for each operand its slot and the attribute that takes it when constant.
        outputs: for each result its slot.
        attrs: attribute names that differ.
    """

    type: str
    inputs: tuple[tuple[str, str | None], ...]
    outputs: tuple[str, ...]
    attrs: dict[str, str] = field(default_factory=dict)

    def input(self, index: int) -> tuple[str, str | None]:
        """Slot and attribute of an operand; operands the table lacks get slots of their own."""
        return self.inputs[index] if index < len(self.inputs) else (f"Input_{index}", None)

    def output(self, index: int) -> str:
        """Slot of a result; results the table lacks get slots of their own."""
        return self.outputs[index] if index < len(self.outputs) else f"Out_{index}"


def op_names(pir_name: str) -> OpNames:
    """The names for a PIR operator, as ``conv2d`` or ``batch_norm_`` (in place).

    An operator that the table lacks keeps its name, with slots ``X``, ``Input_1``, ... and
    ``Out``, ``Out_1``, ...
    """
    name = pir_name if pir_name in _lines() else pir_name.rstrip("_") or pir_name
    return (
        _parse(name, _lines()[name])
        if name in _lines()
        else OpNames(name, (("X", None),), ("Out",))
    )


@cache
def attribute_slots(type: str) -> dict[str, str]:
    """Attribute -> slot of the operands that ProgramDesc keeps in an attribute when constant.

    Args:
        type: an op type of ProgramDesc.
    """
    rows = (_parse(name, line) for name, line in _lines().items())
    return {attr: slot for row in rows if row.type == type for slot, attr in row.inputs if attr}


@cache
def _lines() -> dict[str, str]:
    found = {}
    for line in _TABLE.split("\n"):
        words = line.split(maxsplit=1)
        if words:
            found[words[0]] = words[1] if len(words) > 1 else ""
    return found


@cache
def _parse(name: str, line: str) -> OpNames:
    """Parse what follows the name in a line of the table."""
    head, _, renames = line.partition(";")
    type_part, _, slots = head.partition(":")
    given = type_part.replace("=", "").strip()
    inputs, _, outputs = (slots if slots.strip() else "X > Out").partition(">")
    pairs = (word.partition("@") for word in inputs.split())
    return OpNames(
        given or name,
        tuple((slot, attr or None) for slot, _, attr in pairs),
        tuple(outputs.split()),
        dict(word.split("=") for word in renames.split()),
    )
