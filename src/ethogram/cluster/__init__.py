"""Cluster: work on several machines by Ray. Knows tasks and workers, not what they compute."""

from ethogram.cluster.calls import in_order
from ethogram.cluster.connect import Cluster, connected
from ethogram.cluster.placement import Placement
from ethogram.cluster.workers import Answer, Runner, Workers

__all__ = ["Answer", "Cluster", "Placement", "Runner", "Workers", "connected", "in_order"]
