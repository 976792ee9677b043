"""Kinds of operators that the search for pairs walks through or stops at."""

from __future__ import annotations


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


# They move numbers about and change none.
MOVEMENT = _names(
    "reshape reshape2 transpose transpose2 flatten flatten2 flatten_contiguous_range squeeze "
    "squeeze2 unsqueeze unsqueeze2 slice strided_slice split concat stack unstack unbind assign "
    "share_data memcpy memcpy_d2h memcpy_h2d fetch feed cast lod_reset shuffle_channel crop "
    "crop_tensor expand expand_v2 expand_as expand_as_v2 print"
)

# One number in, one number out: they turn logits into what is shown.
UNARY = _names(
    "softmax log_softmax sigmoid hard_sigmoid scale exp log tanh relu relu6 leaky_relu hard_swish "
    "swish clip sqrt square abs"
)

# They read only the size of their input, so nothing of its content goes on.
SIZE_ONLY = _names(
    "shape size prior_box density_prior_box anchor_generator fill_constant_batch_size_like "
    "fill_any_like fill_zeros_like ones_like zeros_like range arange meshgrid "
    "uniform_random_batch_size_like gaussian_random_batch_size_like full_like"
)

# They hold trained weights of rank 2 and more.
LAYERS = _names(
    "conv2d depthwise_conv2d conv2d_transpose depthwise_conv2d_transpose conv2d_fusion "
    "deformable_conv deformable_conv_v1 conv1d conv3d conv3d_transpose mul matmul matmul_v2 fc "
    "lookup_table lookup_table_v2 embedding lstm gru rnn cudnn_lstm dynamic_lstm dynamic_gru "
    "sequence_conv row_conv bilinear_tensor_product"
)
CONVOLUTIONS = _names(
    "conv2d depthwise_conv2d conv2d_transpose depthwise_conv2d_transpose conv2d_fusion "
    "deformable_conv deformable_conv_v1"
)
UPSAMPLERS = _names(
    "bilinear_interp bilinear_interp_v2 nearest_interp nearest_interp_v2 bicubic_interp "
    "bicubic_interp_v2 linear_interp linear_interp_v2 conv2d_transpose "
    "depthwise_conv2d_transpose pixel_shuffle"
)
