"""Templates of the configs and reports that graphprobe writes, and the published recipes."""
