"""The networks of the survey: who offers them, how each is built, and what it is fed.

Classification networks come from paddle.vision and, where they are installed, PaddleClas;
segmentation networks from PaddleSeg; detectors from PaddleDetection, built from its modules with
the settings of its published configs. Weights are random: structure is what is surveyed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

VISION = """
alexnet densenet121 densenet161 densenet264 googlenet inception_v3 mobilenet_v1 mobilenet_v2
mobilenet_v3_large mobilenet_v3_small resnet18 resnet50 resnet101 resnext50_32x4d resnext101_64x4d
shufflenet_v2_swish shufflenet_v2_x0_25 shufflenet_v2_x1_0 squeezenet1_0 squeezenet1_1 vgg11 vgg16
wide_resnet50_2
"""

CLAS = """
AdaFace_IR_18 CSPDarkNet53 CSWinTransformer_tiny_224 ConvNeXt_tiny CvT_13_224 DLA34 DLA46x_c DPN68
DSNet_tiny DarkNet53 DeiT_tiny_patch16_224 DenseNet121 ESNet_x0_5 EfficientNetB0 EfficientNetV2_S
GhostNet_x1_0 HRNet_W18_C HarDNet68 InceptionV4 LeViT_128S MicroNet_M0 MixNet_S MobileNeXt_x1_0
MobileNetV3_small_x0_5 MobileViT_XXS MobileViT_S MobileViTV2_x0_5 MobileViTV3_XXS NextViT_small_224
PPHGNet_tiny PPHGNetV2_B0 PPLCNet_x1_0 PPLCNetV2_base PVT_V2_B0 PeleeNet ReXNet_1_0 RedNet26
RegNetX_200MF RepVGG_A0 Res2Net50_26w_4s ResNeSt50_fast_1s1x64d ResNet18_vd ResNet50
SE_ResNeXt50_32x4d SE_ResNet18_vd ShuffleNetV2_x1_0 SwinTransformer_tiny_patch4_window7_224
SwinTransformerV2_tiny_patch4_window8_256 TNT_small TinyNet_A UniFormer_small VAN_B0
ViT_small_patch16_224 Xception41 alt_gvt_small pcpvt_small
"""

# name: (class, keyword arguments, backbone, its keyword arguments)
SEG: dict[str, tuple[str, dict[str, Any], str | None, dict[str, Any]]] = {
    "BiSeNetV2": ("BiSeNetV2", {}, None, {}),
    "DDRNet23": ("DDRNet_23", {}, None, {}),
    "DeepLabV3P_r50": ("DeepLabV3P", {}, "ResNet50_vd", {}),
    "ESPNetV2": ("ESPNetV2", {}, None, {}),
    "ENet": ("ENet", {}, None, {}),
    "FCN_hrnet_w18": ("FCN", {"backbone_indices": [0]}, "HRNet_W18", {}),
    "FastSCNN": ("FastSCNN", {}, None, {}),
    "LRASPP_mobilenetv3": ("LRASPP", {}, "MobileNetV3_large_x1_0", {}),
    "PPHumanSegLite": ("PPHumanSegLite", {}, None, {}),
    "PPLiteSeg_stdc1": ("PPLiteSeg", {}, "STDC1", {}),
    "PPMobileSeg": ("PPMobileSeg", {}, "MobileSeg_Base", {}),
    "PSPNet_r50": ("PSPNet", {}, "ResNet50_vd", {}),
    "PortraitNet": ("PortraitNet", {}, "MobileNetV2_x1_0", {}),
    "SegFormer_b0": ("SegFormer", {"embedding_dim": 256}, "MixVisionTransformer_B0", {}),
    "SegNeXt_tiny": (
        "SegNeXt",
        {
            "decoder_cfg": {
                "in_channels": [64, 160, 256],
                "ham_channels": 256,
                "dropout_rate": 0.1,
                "align_corners": False,
                "ham_kwargs": {"MD_R": 16},
            }
        },
        "MSCAN_T",
        {},
    ),
    "SegNet": ("SegNet", {}, None, {}),
    "TopFormer_tiny": ("TopFormer", {}, "TopTransformer_Tiny", {"lr_mult": 1.0}),
    "UNet": ("UNet", {}, None, {}),
    "UNetPlusPlus": ("UNetPlusPlus", {"in_channels": 3}, None, {}),
}

# name: (config below the configs of a PaddleDetection checkout, H and W). Sides are small where the
# config leaves them open: shares do not depend on them, and proofs are many.
DETECTION = {
    "centernet_dla34": ("centernet/centernet_dla34_140e_coco.yml", 256),
    "faster_rcnn_r50_fpn": ("faster_rcnn/faster_rcnn_r50_fpn_1x_coco.yml", 256),
    "fcos_r50_fpn": ("fcos/fcos_r50_fpn_1x_coco.yml", 256),
    "gfl_r50_fpn": ("gfl/gfl_r50_fpn_1x_coco.yml", 256),
    "mask_rcnn_r50_fpn": ("mask_rcnn/mask_rcnn_r50_fpn_1x_coco.yml", 256),
    "pafnet_lite_mbv3": ("ttfnet/pafnet_lite_mobilenet_v3_20x_coco.yml", 320),
    "picodet_s_320": ("picodet/picodet_s_320_coco_lcnet.yml", 320),
    "picodet_l_320": ("picodet/picodet_l_320_coco_lcnet.yml", 320),
    "ppyolo_tiny": ("ppyolo/ppyolo_tiny_650e_coco.yml", 320),
    "ppyolov2_r50vd": ("ppyolo/ppyolov2_r50vd_dcn_365e_coco.yml", 256),
    "ppyoloe_s": ("ppyoloe/ppyoloe_crn_s_300e_coco.yml", 640),
    "ppyoloe_m": ("ppyoloe/ppyoloe_crn_m_300e_coco.yml", 640),
    "retinanet_r50_fpn": ("retinanet/retinanet_r50_fpn_1x_coco.yml", 256),
    "solov2_r50_fpn": ("solov2/solov2_r50_fpn_1x_coco.yml", 256),
    "sparse_rcnn_r50_fpn": ("sparse_rcnn/sparse_rcnn_r50_fpn_3x_pro100_coco.yml", 256),
    "ssd_mobilenet_v1": ("ssd/ssd_mobilenet_v1_300_120e_voc.yml", 300),
    "ssd_vgg16": ("ssd/ssd_vgg16_300_240e_voc.yml", 300),
    "tood_r50_fpn": ("tood/tood_r50_fpn_1x_coco.yml", 256),
    "ttfnet_darknet53": ("ttfnet/ttfnet_darknet53_1x_coco.yml", 256),
    "yolof_r50": ("yolof/yolof_r50_c5_1x_coco.yml", 256),
    "yolov3_darknet53": ("yolov3/yolov3_darknet53_270e_coco.yml", 320),
    "yolov3_mobilenet_v1": ("yolov3/yolov3_mobilenet_v1_270e_coco.yml", 320),
    "yolox_s": ("yolox/yolox_s_300e_coco.yml", 256),
    "yolox_nano": ("yolox/yolox_nano_300e_coco.yml", 256),
}


@dataclass(frozen=True)
class Entry:
    """One network of the survey.

    Args:
        name: unique; the file's stem.
        library: ``paddle.vision``, ``PaddleClas``, ``PaddleSeg`` or ``PaddleDetection``.
        build: what `export.py` calls, by kind.
        size: H and W of the input.
        smaller: the entry of the same family that is its student, or None for itself.
    """

    name: str
    library: str
    build: tuple[Any, ...] = field(default=())
    size: tuple[int, int] = (224, 224)
    smaller: str | None = None


SMALLER = {
    "resnet50": "resnet18",
    "resnet101": "resnet50",
    "vgg16": "vgg11",
    "densenet264": "densenet121",
    "mobilenet_v3_large": "mobilenet_v3_small",
    "shufflenet_v2_x1_0": "shufflenet_v2_x0_25",
    "squeezenet1_0": "squeezenet1_1",
    "PPHGNet_tiny": "PPLCNet_x1_0",
    "DLA34": "DLA46x_c",
    "MobileViT_S": "MobileViT_XXS",
    "DeepLabV3P_r50": "LRASPP_mobilenetv3",
    "PSPNet_r50": "PPLiteSeg_stdc1",
    "SegNeXt_tiny": "SegFormer_b0",
    "picodet_l_320": "picodet_s_320",
    "ppyoloe_m": "ppyoloe_s",
    "ssd_vgg16": "ssd_mobilenet_v1",
    "yolov3_darknet53": "yolov3_mobilenet_v1",
    "yolox_s": "yolox_nano",
}
SIZES = {
    "inception_v3": (299, 299),
    "InceptionV4": (299, 299),
    "Xception41": (299, 299),
    "SwinTransformerV2_tiny_patch4_window8_256": (256, 256),
    "MobileViT_XXS": (256, 256),
    "MobileViT_S": (256, 256),
    "MobileViTV2_x0_5": (256, 256),
    "MobileViTV3_XXS": (256, 256),
    "LeViT_128S": (224, 224),
    "AdaFace_IR_18": (112, 112),
}


# The largest difference of a proof, as a share of the largest output, that rounding explains.
TOLERANCE = 2e-4

# Networks whose groups are all proven alone, however long it takes.
WHOLE = frozenset({"det_retinanet_r50_fpn"})

# kind: (policy, the most that may be left of the multiply-adds at ratio 0.5, networks).
LIMITS = {
    "detector with shared towers": (
        "coupled",
        0.30,
        "det_fcos_r50_fpn det_gfl_r50_fpn det_retinanet_r50_fpn",
    ),
    "channel shuffle": (
        "coupled",
        0.33,
        "clas_ShuffleNetV2_x1_0 shufflenet_v2_swish shufflenet_v2_x1_0",
    ),
    "x * sigmoid(x)": ("seeds", 0.5, "det_yolox_s"),
}


# Of the same kinds and held to no limit, and why.
NO_LIMIT = (
    "shufflenet_v2_x0_25 is held to none: its first layer, which reads the image, is 0.46 of all "
    "and half of that stays, so halving every channel there is leaves 0.387.",
    "Nor is det_yolox_nano under seeds: the 30 convolutions that meet a concat, which that policy "
    "leaves out, are 0.29 of all; under coupled it keeps 0.304.",
)


def limits(name: str) -> Iterator[tuple[str, float, str]]:
    """(policy, share, kind) of what may be left of a network at ratio 0.5."""
    for kind, (policy, share, names) in LIMITS.items():
        if name in names.split():
            yield policy, share, kind


def entries() -> Iterator[Entry]:
    """Every network, by library and name."""
    for name in VISION.split():
        yield _entry(name, "paddle.vision", ("vision", name))
    for name in CLAS.split():
        yield _entry(f"clas_{name}", "PaddleClas", ("clas", name), key=name)
    for name, words in SEG.items():
        yield _entry(f"seg_{name}", "PaddleSeg", ("seg", *words), key=name, size=(256, 256))
    for name, (config, side) in DETECTION.items():
        build = ("det", config)
        yield _entry(f"det_{name}", "PaddleDetection", build, key=name, size=(side, side))


def _entry(
    name: str,
    library: str,
    build: tuple[Any, ...],
    key: str | None = None,
    size: tuple[int, int] = (224, 224),
) -> Entry:
    prefix = name.removesuffix(key) if key is not None else ""
    sibling = SMALLER.get(key or name)
    return Entry(
        name, library, build, SIZES.get(key or name, size), prefix + sibling if sibling else None
    )
