"""How a step runs: programs, devices, threads, memory, engines."""
