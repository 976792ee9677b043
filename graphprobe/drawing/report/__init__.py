"""The report: findings, measurements and drawings of one or two programs, as a page or on paper."""
