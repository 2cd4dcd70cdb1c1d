"""judge: one look at the test part, simpler models beside it, the report."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import torch

from limpide.events import Event
from limpide.models import PRETRAINED
from limpide.training.network import load_weights
from limpide.training.transfer import frozen_features, load_features
from limpide.workflows.judge import judge
from limpide.workflows.phases.job import Job
from limpide.workflows.phases.quote import rival_budget


def judge_model(job: Job) -> Generator[Event]:
    """Looks at the test part once and writes findings and report."""
    if job.done("judge"):
        return
    material: dict[str, Any] = {"pixels": job.pixels(), "frozen": None}
    if job.recipe.model in PRETRAINED and job.info["final"]["kind"] != "frozen":
        rows = job.frozen_rows("test")
        model = job.network(job.frozen_pixels().preprocessing)
        load_weights(model, job.run.snapshots / "first.safetensors")
        yield from frozen_features(model, job.frozen_pixels(), rows, job.run.cache, torch.device(job.recipe.device))
        material["frozen"] = (model, load_features(job.frozen_pixels(), rows, job.run.cache), rows)
    budget = min(_net_seconds(job), rival_budget(job.recipe))
    yield from judge(job.run, job.dataset, job.parts, material, budget, job.recipe, began=job.began, images=job.images)
    job.info = job.run.info()


def _net_seconds(job: Job) -> float:
    return float(job.info.get("fit_seconds", 0.0)) + float((job.info.get("frozen") or {}).get("seconds", 0.0))
