"""What PaddleSlim's Pruner makes of filters that graphprobe prunes."""
