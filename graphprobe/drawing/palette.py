"""Colours of frames, fills and wires, shared by every format."""

from __future__ import annotations

INK, FAINT, WIRE, PAPER = "#202124", "#5f6368", "#8a9099", "#ffffff"
STRIPE = "#f4f6f8"
FILL = {
    "input": "#e6f4ea",
    "output": "#fde7e6",
    "conv": "#f7f9fc",
    "op": "#fffdf5",
    "port": "#f1f3f4",
    "var": "#ffffff",
    "param": "#f3eefb",
    "hit": "#fff3c4",
    "gone": "#fde3d3",
    "new": "#d5f0e6",
    "narrower": "#dcebf6",
    "wider": "#e6f4fc",
    "changed": "#f7e6ef",
    "moved": "#f4ecd2",
}
# What became of an op between two versions of a program: after Okabe and Ito, where the same words
# stand beside the colours.
CHANGE = {
    "gone": "#d55e00",
    "new": "#009e73",
    "narrower": "#0072b2",
    "wider": "#56b4e9",
    "changed": "#cc79a7",
    "moved": "#8a6d00",
}
FRAME = {
    "input": "#5bb974",
    "output": "#e27a72",
    "conv": "#9db2cf",
    "op": "#d3c69a",
    "port": "#c4c7cc",
    "var": "#dadce0",
    "param": "#c3b1e1",
    "hit": "#d99800",
    **CHANGE,
}
