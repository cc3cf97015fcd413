"""All use cases in one value, as the edges are handed them."""

from __future__ import annotations

from dataclasses import dataclass

from penstock.ports import Meters
from penstock.services.experiments import Experiments
from penstock.services.pipelines import Pipelines
from penstock.services.runs import Runs

__all__ = ["Services"]


@dataclass(frozen=True, slots=True)
class Services:
    """The use cases of one home."""

    runs: Runs
    pipelines: Pipelines
    experiments: Experiments
    meters: Meters
