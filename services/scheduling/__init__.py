"""Scheduling 定时任务: what the passing of time makes due is appended, each once."""
