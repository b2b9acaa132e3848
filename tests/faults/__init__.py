"""Tries every fault at every point, and judges the outcome from outside."""
