"""Ethogram: a workbench for designing language-model behaviour.

    import ethogram as eg

    with eg.Study("my-study") as study:
        eg.run(study)
        eg.compare(study, "v0.0.1", "v0.1.0")

The names below are loaded when they are first used, so `import ethogram` takes milliseconds.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:  # For type checkers; `as` exports the name.
    from ethogram.backends import (
        Budget as Budget,
    )
    from ethogram.backends import (
        Endpoint as Endpoint,
    )
    from ethogram.errors import (
        EthogramError as EthogramError,
    )
    from ethogram.metrics import (
        NamedModels as NamedModels,
    )
    from ethogram.metrics import (
        Output as Output,
    )
    from ethogram.metrics import (
        ScoreTable as ScoreTable,
    )
    from ethogram.metrics import (
        all_metrics as all_metrics,
    )
    from ethogram.metrics import (
        find_pitfalls as find_pitfalls,
    )
    from ethogram.metrics import (
        read_outputs as read_outputs,
    )
    from ethogram.metrics.score import (
        score as score,
    )
    from ethogram.metrics.score import (
        score_outputs as score_outputs,
    )
    from ethogram.models import (
        ModelReference as ModelReference,
    )
    from ethogram.models import (
        available as available,
    )
    from ethogram.models import (
        load as load,
    )
    from ethogram.models import (
        pull as pull,
    )
    from ethogram.replications import (
        replicate as replicate,
    )
    from ethogram.report import (
        verify as verify,
    )
    from ethogram.report.charts import (
        plot_comparison as plot_comparison,
    )
    from ethogram.report.charts import (
        plot_sweep as plot_sweep,
    )
    from ethogram.report.charts import (
        plot_training as plot_training,
    )
    from ethogram.report.log import (
        log as log,
    )
    from ethogram.spec import (
        Decoding as Decoding,
    )
    from ethogram.spec import (
        Generation as Generation,
    )
    from ethogram.spec import (
        Prompt as Prompt,
    )
    from ethogram.spec import (
        Request as Request,
    )
    from ethogram.spec import (
        SuitePrompt as SuitePrompt,
    )
    from ethogram.spec import (
        Version as Version,
    )
    from ethogram.spec.space import (
        parse_axis as parse_axis,
    )
    from ethogram.study import (
        Branched as Branched,
    )
    from ethogram.study import (
        CheckResult as CheckResult,
    )
    from ethogram.study import (
        Comparison as Comparison,
    )
    from ethogram.study import (
        Difference as Difference,
    )
    from ethogram.study import (
        Outputs as Outputs,
    )
    from ethogram.study import (
        RunResult as RunResult,
    )
    from ethogram.study import (
        Study as Study,
    )
    from ethogram.study import (
        SweepResult as SweepResult,
    )
    from ethogram.study import (
        TagComparison as TagComparison,
    )
    from ethogram.study import (
        TokenChoice as TokenChoice,
    )
    from ethogram.study import (
        Traced as Traced,
    )
    from ethogram.study import (
        VersionStatus as VersionStatus,
    )
    from ethogram.study import (
        ablate as ablate,
    )
    from ethogram.study import (
        branch as branch,
    )
    from ethogram.study import (
        branches as branches,
    )
    from ethogram.study import (
        check as check,
    )
    from ethogram.study import (
        compare as compare,
    )
    from ethogram.study import (
        compare_by_tag as compare_by_tag,
    )
    from ethogram.study import (
        diff as diff,
    )
    from ethogram.study import (
        export as export,
    )
    from ethogram.study import (
        generate as generate,
    )
    from ethogram.study import (
        import_outputs as import_outputs,
    )
    from ethogram.study import (
        init as init,
    )
    from ethogram.study import (
        judge as judge,
    )
    from ethogram.study import (
        new_version as new_version,
    )
    from ethogram.study import (
        outputs as outputs,
    )
    from ethogram.study import (
        plan as plan,
    )
    from ethogram.study import (
        promote as promote,
    )
    from ethogram.study import (
        run as run,
    )
    from ethogram.study import (
        show as show,
    )
    from ethogram.study import (
        sweep as sweep,
    )
    from ethogram.study import (
        token_choice as token_choice,
    )
    from ethogram.study import (
        trace as trace,
    )
    from ethogram.study import (
        versions as versions,
    )
    from ethogram.ui.report import (
        write_report as write_report,
    )

#: The table of contents: where each public name comes from.
_CONTENTS: dict[str, tuple[str, ...]] = {
    # Make and open a study; see what it holds.
    "study": (
        "init",
        "Study",
        "new_version",
        "versions",
        "show",
        "diff",
        # Generate, measure and compare.
        "plan",
        "generate",
        "run",
        "compare",
        "compare_by_tag",
        # Read what was generated.
        "outputs",
        "trace",
        "token_choice",
        "branch",
        "branches",
        # Search, promise, judge.
        "ablate",
        "sweep",
        "promote",
        "check",
        "judge",
        # Exchange outputs with other programs.
        "import_outputs",
        "import_suite",
        "export",
        "check_files",
        # What these return.
        "RunResult",
        "Comparison",
        "Difference",
        "TagComparison",
        "Outputs",
        "VersionStatus",
        "Traced",
        "TokenChoice",
        "Branched",
        "SweepResult",
        "CheckResult",
    ),
    # Write the log and check it; write the report.
    "report": ("log", "verify"),
    "ui.report": ("write_report",),
    # Draw a comparison, a sweep, trainings.
    "report.charts": ("plot_comparison", "plot_sweep", "plot_training"),
    # What a version file states, as objects.
    "spec": ("Version", "Decoding", "Prompt", "SuitePrompt", "Request", "Generation"),
    "spec.space": ("parse_axis",),
    # Measure outputs from anywhere.
    "metrics": (
        "Output",
        "read_outputs",
        "score",
        "score_outputs",
        "ScoreTable",
        "find_pitfalls",
        "all_metrics",
        "NamedModels",
    ),
    # Find, fetch and load models.
    "models": ("available", "pull", "load", "ModelReference"),
    # The endpoint of a judge, and what a run may spend at others.
    "backends": ("Endpoint", "Budget"),
    # Make published tables again.
    "replications": ("replicate",),
    # The base of all errors that a user can fix.
    "errors": ("EthogramError",),
}
_PACKAGE_OF = {name: package for package, names in _CONTENTS.items() for name in names}

__all__ = ["__version__", *_PACKAGE_OF]


def __getattr__(name: str) -> Any:
    """Load a public name from its package on first use (PEP 562)."""
    if name not in _PACKAGE_OF:
        raise AttributeError(f"module 'ethogram' has no attribute {name!r}")
    return getattr(importlib.import_module(f"ethogram.{_PACKAGE_OF[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
