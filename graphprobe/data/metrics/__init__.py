"""Metrics: VOC mAP, COCO AP, mean IoU, top-k accuracy, agreement. Each collects by image."""
