"""Metrics: VOC mAP, COCO AP and mean IoU. Each collects image by image."""
