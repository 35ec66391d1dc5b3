// Generated from the server's OpenAPI document by `make web`; do not edit.

export interface paths {
    "/api/session": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Session
         * @description Exchange the token for a cookie.
         */
        post: operations["session"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/about": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * About
         * @description The release, and where the events are.
         */
        get: operations["about"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Events
         * @description The one stream of a tab, in the format of server-sent events.
         */
        get: operations["events"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/jobs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Jobs
         * @description All jobs, newest first.
         */
        get: operations["jobs"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/jobs/{job_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Job
         * @description A job with all that it made so far.
         */
        get: operations["job"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/jobs/{job_id}/stop": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Stop Job
         * @description Ask a job to end.
         */
        post: operations["stop_job"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/arena/versions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Arena Versions
         * @description The versions of the study.
         */
        get: operations["arena_versions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/arena/next": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Arena Next
         * @description The pair that a voter has to vote on.
         */
        post: operations["arena_next"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/arena/vote": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Arena Vote
         * @description Store a vote, or say why it does not count; and the next pair.
         */
        post: operations["arena_vote"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/arena/undo": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Arena Undo
         * @description Take back the voter's last vote and show its pair again.
         */
        post: operations["arena_undo"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/arena/ranking": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Arena Ranking
         * @description Ratings by the votes of people; of one voter if named.
         */
        get: operations["arena_ranking"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/arena/pairs.jsonl": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Arena Pairs
         * @description The votes as preference pairs, as TRL reads them.
         */
        get: operations["arena_pairs"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/arena/train": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Arena Train
         * @description Write a DPO recipe for the votes, unless it is there, and train it as a job.
         */
        post: operations["arena_train"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/log": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Log
         * @description The tree of versions.
         */
        get: operations["log"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/findings": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Findings
         * @description What all versions together show; while they are read, how far that is.
         */
        get: operations["findings"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/log/{version}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Log Entry
         * @description What came of one version.
         */
        get: operations["log_entry"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/log/{version}/notes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Notes
         * @description The notes as they are on disk now.
         */
        get: operations["notes"];
        put?: never;
        /**
         * Save Notes
         * @description Write notes into the version's file; status 409 if it changed on disk meanwhile.
         */
        post: operations["save_notes"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/compare": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Compare
         * @description The first rows of a comparison, and all that stands above them.
         */
        get: operations["compare"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/compare/rows": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Compare Rows
         * @description Further rows of a comparison.
         */
        get: operations["compare_rows"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/compare/verdicts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Compare Verdicts
         * @description The paired tests of each version against the first; of a large study it takes seconds.
         */
        get: operations["compare_verdicts"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/compare/cell": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Compare Cell
         * @description All outputs of a version on a prompt, in full.
         */
        get: operations["compare_cell"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/compare/chart": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Compare Chart
         * @description Each prompt as a point: the metric for the first version and for the last one.
         */
        get: operations["compare_chart"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/remarks": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Save Remark
         * @description Star an output, or comment on it; kept in the study's folder.
         */
        post: operations["save_remark"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/microscope": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Microscope Versions
         * @description Versions whose outputs can be looked at.
         */
        get: operations["microscope_versions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/microscope/output": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Microscope Output
         * @description A stored output or branch, token by token; null without a trace. Runs no model.
         */
        get: operations["microscope_output"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/microscope/step": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Microscope Step
         * @description What one token was chosen from; the model runs the stored tokens once.
         */
        get: operations["microscope_step"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/microscope/trace": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Microscope Trace
         * @description Make an output's trace, and the output if it is missing.
         */
        post: operations["microscope_trace"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/microscope/branch": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Microscope Branch
         * @description Make a branch; the job's result has its id.
         */
        post: operations["microscope_branch"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/microscope/branches/{number}/undo": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Undo
         * @description Hide a branch.
         */
        post: operations["undo"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/microscope/branches/{number}/restore": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Restore
         * @description Show a branch again.
         */
        post: operations["restore"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/microscope/branches/{number}/version": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Write Branch Version
         * @description Write a branch's settings as a child version.
         */
        post: operations["write_branch_version"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/microscope/branches/{number}/pair": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Write Pair
         * @description Add a branch and its original to the study's training pairs.
         */
        post: operations["write_pair"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/play": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Play View
         * @description Versions, and the settings with what each does.
         */
        get: operations["play_view"];
        put?: never;
        /**
         * Start Play
         * @description Generate; lane i of the job has the text of lane i, and a row tells how it ended.
         */
        post: operations["start_play"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/play/prompt": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Prompt Text
         * @description What a prompt of a version's suite says.
         */
        get: operations["prompt_text"];
        put?: never;
        /**
         * Add Prompt
         * @description Add a text to a version's suite.
         */
        post: operations["add_prompt"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/play/arena": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Send To Arena
         * @description Store the outputs of a job, to be voted on.
         */
        post: operations["send_to_arena"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/play/version": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Save Version
         * @description Write a lane's settings as a child version.
         */
        post: operations["save_version"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/runs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Start Run
         * @description Generate the missing outputs of versions.
         */
        post: operations["start_run"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/search": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Search
         * @description What has these words in its name or text; of each kind, names first.
         */
        get: operations["search"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/sweeps": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Sweeps
         * @description The sweeps, and what a new one can be made of.
         */
        get: operations["sweeps"];
        put?: never;
        /**
         * Start Sweep
         * @description Start a sweep, or go on with one; its job's first row names the stored sweep.
         */
        post: operations["start_sweep"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/sweeps/{number}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * One Sweep
         * @description A sweep as far as it came.
         */
        get: operations["one_sweep"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/sweeps/{number}/samples": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Sweep Samples
         * @description Outputs of a setting on the prompts for selection, beside the parent's.
         */
        get: operations["sweep_samples"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/sweeps/{number}/heat": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Sweep Heat
         * @description A metric over two fields; `fixed` are other fields, FIELD=VALUE.
         */
        get: operations["sweep_heat"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/sweeps/{number}/front": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Sweep Front
         * @description Two metrics of each setting, and the Pareto front.
         */
        get: operations["sweep_front"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/sweeps/{number}/parallel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Sweep Parallel
         * @description Each setting as a line over its fields and metrics.
         */
        get: operations["sweep_parallel"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/sweeps/{number}/race": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Sweep Race
         * @description An objective round by round.
         */
        get: operations["sweep_race"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/sweeps/{number}/promote": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Promote Setting
         * @description Write a setting as a child version, with the reason and the numbers in its notes.
         */
        post: operations["promote_setting"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/trainings": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Trainings
         * @description The recipes of the study, and what was trained.
         */
        get: operations["trainings"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/trainings/curves": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Curves
         * @description Curves of one or several trainings over each other.
         */
        get: operations["curves"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/trainings/{training}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Training
         * @description One training: plan, warnings, behaviour by step.
         */
        get: operations["training"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/trainings/{training}/samples": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Samples
         * @description What it wrote to a prompt, by step.
         */
        get: operations["samples"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/trainings/plan": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Plan
         * @description Plan a training, as `ethogram train --dry-run` does.
         */
        post: operations["plan"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/trainings/start": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Start
         * @description Train a recipe in a process of its own; one that was stopped goes on.
         */
        post: operations["start"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/trainings/continue": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Go On
         * @description Go on with a training from its last checkpoint.
         */
        post: operations["go_on"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/trainings/{training}/stop": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Stop
         * @description End the process that trains, wherever it was started; its last checkpoint is kept.
         */
        post: operations["stop"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /**
         * About
         * @description What the page is about.
         *
         *     Attributes:
         *         version: of Ethogram.
         *         position: id of the last event, so that a tab follows from the state that it loads next.
         */
        About: {
            /** Version */
            version: string;
            /** Position */
            position: string;
        };
        /**
         * Alternative
         * @description A token that the model found likely.
         */
        Alternative: {
            /** Id */
            id: number;
            /** Text */
            text: string;
            /** Probability */
            probability: number;
        };
        /**
         * AnyEvent
         * @description An event of the stream.
         */
        AnyEvent: components["schemas"]["Reset"] | components["schemas"]["StudyChanged"] | components["schemas"]["JobChanged"] | components["schemas"]["JobText"] | components["schemas"]["JobRow"] | components["schemas"]["VotesChanged"] | components["schemas"]["FindingsRead"] | components["schemas"]["SweepChanged"] | components["schemas"]["TrainingChanged"] | components["schemas"]["TrainingPoints"] | components["schemas"]["TrainingSamples"] | components["schemas"]["TrainingRepeated"];
        /**
         * ArenaPair
         * @description Two outputs to vote on; nothing here tells whose they are.
         */
        ArenaPair: {
            /** Ticket */
            ticket: string;
            /** Prompt */
            prompt: string;
            /** Left */
            left: string;
            /** Right */
            right: string;
            /** Voted */
            voted: number;
            /** Pairs */
            pairs: number;
        };
        /**
         * ArenaVersion
         * @description A version that can be voted on.
         */
        ArenaVersion: {
            /** Name */
            name: string;
            /** Title */
            title: string;
        };
        /**
         * BranchBody
         * @description A branch to make, from an output or from another branch.
         */
        BranchBody: {
            /**
             * Version
             * @default
             */
            version: string;
            /**
             * Prompt
             * @default
             */
            prompt: string;
            /**
             * Sample
             * @default 0
             */
            sample: number;
            /** Branch */
            branch?: number | null;
            /** At */
            at: number;
            /** Token */
            token?: number | null;
            /** Settings */
            settings?: {
                [key: string]: components["schemas"]["JsonValue"];
            };
            /**
             * Draw
             * @default 0
             */
            draw: number;
        };
        /**
         * BranchInfo
         * @description A branch in a list.
         *
         *     Attributes:
         *         id: its number.
         *         parent: the branch that it began from.
         *         at: index of the first token that may differ.
         *         words: what it changes.
         *         settings: dotted fields that differ from its version.
         *         undone: whether it is hidden.
         *         text: its output.
         */
        BranchInfo: {
            /** Id */
            id: number;
            /** Parent */
            parent: number | null;
            /** At */
            at: number;
            /** Words */
            words: string;
            /** Settings */
            settings: {
                [key: string]: components["schemas"]["JsonValue"];
            };
            /** Undone */
            undone: boolean;
            text: components["schemas"]["Clipped"];
        };
        /**
         * CellDetail
         * @description All outputs of a version on a prompt.
         */
        CellDetail: {
            /** Version */
            version: string;
            /** Prompt Id */
            prompt_id: string;
            /** Prompt */
            prompt: string;
            /** Reference */
            reference: string | null;
            /** Constraints */
            constraints: string[];
            /** Samples */
            samples: components["schemas"]["SampleInfo"][];
            remark: components["schemas"]["RemarkInfo"] | null;
        };
        /**
         * CellInfo
         * @description The outputs of a version on a prompt, one of them shown.
         *
         *     Attributes:
         *         outputs: how many.
         *         distinct: how many different texts.
         *         index: sample index of the shown one.
         *         times: samples with exactly this text.
         *         output: its beginning.
         *         pitfalls: pitfall to how many outputs show it.
         *         number: value of the metric on this prompt; None where it has none.
         *         value: the same in words.
         *         move: difference from the first column, in words; empty where there is none.
         *         verdict: of that difference: better, worse, changed or nothing.
         *         remark: star and comment.
         */
        CellInfo: {
            /** Outputs */
            outputs: number;
            /** Distinct */
            distinct: number;
            /** Index */
            index: number;
            /** Times */
            times: number;
            output: components["schemas"]["MarkedText"];
            /** Pitfalls */
            pitfalls: {
                [key: string]: number;
            };
            /** Number */
            number: number | null;
            /** Value */
            value: string;
            /** Move */
            move: string;
            /** Verdict */
            verdict: string;
            remark: components["schemas"]["RemarkInfo"] | null;
        };
        /**
         * ChangeInfo
         * @description A setting that differs from the parent's; `lines` is the diff of a long text.
         */
        ChangeInfo: {
            /** Words */
            words: string;
            /** Lines */
            lines: string[];
        };
        /**
         * ChartInfo
         * @description A chart.
         *
         *     Attributes:
         *         spec: Vega-Lite, with its data.
         *         words: what it shows.
         */
        ChartInfo: {
            /** Spec */
            spec: {
                [key: string]: components["schemas"]["JsonValue"];
            };
            /** Words */
            words: string;
        };
        /**
         * ChildBody
         * @description The child version that a lane becomes.
         */
        ChildBody: {
            /** Version */
            version: string;
            /** Settings */
            settings?: {
                [key: string]: components["schemas"]["JsonValue"];
            };
            /**
             * Lines
             * @default
             */
            lines: string;
            /** Name */
            name: string;
            /**
             * Title
             * @default
             */
            title: string;
        };
        /**
         * ChoiceToken
         * @description A token that is listed, with its probability in each distribution.
         */
        ChoiceToken: {
            /** Id */
            id: number;
            /** Text */
            text: string;
            /** Chosen */
            chosen: boolean;
            /** Probabilities */
            probabilities: number[];
        };
        /**
         * Clipped
         * @description The beginning of a text.
         *
         *     Attributes:
         *         text: at most `CLIP` characters.
         *         length: characters of the whole text.
         */
        Clipped: {
            /** Text */
            text: string;
            /** Length */
            length: number;
        };
        /**
         * ColumnInfo
         * @description One version of the matrix.
         *
         *     Attributes:
         *         version: its name.
         *         title: what it tries.
         *         stale: why its results are not those of the version as it is now.
         *         verdict: against the first column; None while nobody has tested the two.
         *         outputs: how many it has.
         *         changes: settings that differ from the first column.
         *         pitfalls: pitfall to prompts of which an output shows it.
         */
        ColumnInfo: {
            /** Version */
            version: string;
            /** Title */
            title: string;
            /** Stale */
            stale: string;
            verdict: components["schemas"]["VerdictInfo"] | null;
            /** Outputs */
            outputs: number;
            /** Changes */
            changes: string[];
            /** Pitfalls */
            pitfalls: {
                [key: string]: number;
            };
        };
        /**
         * ContinueBody
         * @description A training to go on with.
         */
        ContinueBody: {
            /** Id */
            id: number;
        };
        /**
         * CurvesInfo
         * @description Charts, and what else could be drawn: name to title.
         */
        CurvesInfo: {
            /** Panels */
            panels: components["schemas"]["PanelInfo"][];
            /** Further */
            further: {
                [key: string]: string;
            };
        };
        /**
         * DifferenceInfo
         * @description One metric of two versions with its paired test.
         *
         *     Attributes:
         *         metric: its name.
         *         title: for people.
         *         direction: higher, lower or none, whichever is better.
         *         verdict: such as `better` or `perhaps worse`.
         *         clear: whether the verdict is certain enough to be coloured.
         *         same: whether no prompt differs.
         *         estimate: after minus before.
         *         low: of the 95 % interval.
         *         high: of it.
         *         prompts: on which the metric applies.
         *         doubt: why the interval is unreliable; empty if it is not.
         *         standard: low, estimate and high in standard deviations between prompts; None where prompts
         *             do not vary.
         *         words: the numbers in words.
         */
        DifferenceInfo: {
            /** Metric */
            metric: string;
            /** Title */
            title: string;
            /** Direction */
            direction: string;
            /** Verdict */
            verdict: string;
            /** Clear */
            clear: boolean;
            /** Same */
            same: boolean;
            /** Estimate */
            estimate: number | null;
            /** Low */
            low: number | null;
            /** High */
            high: number | null;
            /** Prompts */
            prompts: number;
            /** Doubt */
            doubt: string;
            /** Standard */
            standard: [
                number,
                number,
                number
            ] | null;
            words: components["schemas"]["DifferenceWords"];
        };
        /**
         * DifferenceWords
         * @description A difference in words, as the terminal formats it.
         */
        DifferenceWords: {
            /** Name */
            name: string;
            /** Before */
            before: string;
            /** After */
            after: string;
            /** From To */
            from_to: string;
            /** Difference */
            difference: string;
            /** Interval */
            interval: string;
            /** P */
            p: string;
        };
        /**
         * EliminatedInfo
         * @description A setting that was eliminated in a round, by which one, and their values then.
         */
        EliminatedInfo: {
            /** Name */
            name: string;
            /** Words */
            words: string;
            /** By */
            by: string;
            /** Why */
            why: string;
        };
        /**
         * ExampleInfo
         * @description An output that shows the result.
         */
        ExampleInfo: {
            /** Version */
            version: string;
            /** Why */
            why: string;
            /** Prompt Id */
            prompt_id: string;
            /** Prompt */
            prompt: string;
            /** Sample Index */
            sample_index: number;
            output: components["schemas"]["MarkedText"];
        };
        /**
         * FindingsInfo
         * @description What was found.
         *
         *     Attributes:
         *         ready: whether all versions were read; all that follows `total` is empty until then.
         *         done: versions that were read.
         *         total: versions to read.
         *         sentences: most telling first.
         *         columns: of the small table.
         *         rows: of it.
         *         thread: one prompt through all versions; None where they share none.
         */
        FindingsInfo: {
            /** Ready */
            ready: boolean;
            /** Done */
            done: number;
            /** Total */
            total: number;
            /** Sentences */
            sentences: string[];
            /** Columns */
            columns: components["schemas"]["MetricColumn"][];
            /** Rows */
            rows: components["schemas"]["VersionRow"][];
            thread: components["schemas"]["ThreadInfo"] | null;
        };
        /**
         * FindingsRead
         * @description How far the findings are; they can be loaded when all versions are read.
         *
         *     Attributes:
         *         done: versions that were read.
         *         total: versions of the study.
         *         ready: whether they are made, or will not be: loading them says which.
         */
        FindingsRead: {
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "findings";
            /** Done */
            done: number;
            /** Total */
            total: number;
            /** Ready */
            ready: boolean;
        };
        /**
         * FormVersion
         * @description A version that a sweep can begin from, with its default objectives and samples.
         */
        FormVersion: {
            /** Name */
            name: string;
            /** Title */
            title: string;
            /** Goals */
            goals: string[];
            /** Samples */
            samples: number;
        };
        /**
         * GridCell
         * @description A cell of the heat map as a table: the best setting of its pair of values.
         *
         *     Attributes:
         *         setting: its name.
         *         value: of the metric, in words.
         *         settings: how many have this pair of values.
         *         mark: a sign of the choice or the front.
         *         shade: 0 to 9, brighter where it is better; None where there is no value.
         */
        GridCell: {
            /** Setting */
            setting: string;
            /** Value */
            value: string;
            /** Settings */
            settings: number;
            /** Mark */
            mark: string;
            /** Shade */
            shade: number | null;
        };
        /** HTTPValidationError */
        HTTPValidationError: {
            /** Detail */
            detail?: components["schemas"]["ValidationError"][];
        };
        /**
         * HeatInfo
         * @description A heat map and the same as a table.
         *
         *     Attributes:
         *         columns: values of the first field; empty where one of both is continuous.
         *         rows: value of the second field, and a cell for each column, or none.
         */
        HeatInfo: {
            /** Spec */
            spec: {
                [key: string]: components["schemas"]["JsonValue"];
            };
            /** Words */
            words: string;
            /** Columns */
            columns: string[];
            /** Rows */
            rows: [
                string,
                (components["schemas"]["GridCell"] | null)[]
            ][];
        };
        /**
         * Hit
         * @description Something that the palette can open.
         *
         *     Attributes:
         *         kind: what it is.
         *         id: what its address names it by.
         *         name: for people.
         *         words: about it.
         */
        Hit: {
            /**
             * Kind
             * @enum {string}
             */
            kind: "version" | "prompt" | "sweep" | "training";
            /** Id */
            id: string;
            /** Name */
            name: string;
            /** Words */
            words: string;
        };
        /**
         * JobChanged
         * @description A job began, progressed or ended.
         */
        JobChanged: {
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "job";
            job: components["schemas"]["JobInfo"];
        };
        /**
         * JobDetail
         * @description A job with all that it made so far.
         *
         *     Attributes:
         *         job: the job.
         *         lanes: name of a lane to its text so far.
         *         rows: in order; what they hold is up to the kind of job.
         */
        JobDetail: {
            job: components["schemas"]["JobInfo"];
            /** Lanes */
            lanes: {
                [key: string]: string;
            };
            /** Rows */
            rows: components["schemas"]["JsonValue"][];
        };
        /**
         * JobInfo
         * @description A job, without what it made.
         *
         *     Attributes:
         *         id: random.
         *         kind: what it does, such as `run`.
         *         title: for people.
         *         state: running, done, failed or stopped.
         *         words: what it is doing now, or why it failed.
         *         done: units of work done.
         *         total: units of work; None if nobody knows.
         *         rate: units a second; None before the first.
         *         seconds_left: at that rate; None if nobody knows.
         *         started_at: UTC, ISO 8601.
         *         finished_at: the same; None while it runs.
         *         result: what it returned.
         */
        JobInfo: {
            /** Id */
            id: string;
            /** Kind */
            kind: string;
            /** Title */
            title: string;
            /**
             * State
             * @enum {string}
             */
            state: "running" | "done" | "failed" | "stopped";
            /**
             * Words
             * @default
             */
            words: string;
            /**
             * Done
             * @default 0
             */
            done: number;
            /** Total */
            total?: number | null;
            /** Rate */
            rate?: number | null;
            /** Seconds Left */
            seconds_left?: number | null;
            /** Started At */
            started_at: string;
            /** Finished At */
            finished_at?: string | null;
            result?: components["schemas"]["JsonValue"];
        };
        /**
         * JobRow
         * @description A job has one more row.
         *
         *     Attributes:
         *         index: its place, from 0.
         */
        JobRow: {
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "job_row";
            /** Id */
            id: string;
            /** Index */
            index: number;
            row: components["schemas"]["JsonValue"];
        };
        /**
         * JobText
         * @description A lane's text grew.
         *
         *     Attributes:
         *         at: characters that it had before. A tab whose text is longer already has this part.
         */
        JobText: {
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "job_text";
            /** Id */
            id: string;
            /** Lane */
            lane: string;
            /** At */
            at: number;
            /** Text */
            text: string;
        };
        JsonValue: unknown;
        /**
         * LaneBody
         * @description A lane: a version and what differs from it.
         *
         *     Attributes:
         *         version: its name.
         *         settings: dotted fields with values.
         *         lines: further settings, as lines FIELD=VALUE.
         */
        LaneBody: {
            /** Version */
            version: string;
            /** Settings */
            settings?: {
                [key: string]: components["schemas"]["JsonValue"];
            };
            /**
             * Lines
             * @default
             */
            lines: string;
        };
        /**
         * LogEntry
         * @description What came of a version.
         *
         *     Attributes:
         *         version: its name.
         *         sentence: the verdict in words.
         *         outcome: of its aims: met, not met, undecided; empty without aims.
         *         stale: why the results are not those of the version as it is now.
         *         missing: why there are no results; all that follows is empty then.
         *         evidence: outputs and prompts that it rests on, in words.
         *         model: as the version names it.
         *         identity: first digits.
         *         differences: against the parent, clear ones first.
         *         values: of a version without a parent.
         *         changes: settings that differ from the parent.
         *         pitfalls: of its outputs, and of the parent's.
         *         examples: one before and after, or one alone.
         *         unsupported: claims of notes that the stored runs do not show.
         *         trained: how its model was trained, lines of Markdown.
         *         notes: as in its file; None where it has none.
         */
        LogEntry: {
            /** Version */
            version: string;
            /** Sentence */
            sentence: string;
            /**
             * Outcome
             * @default
             */
            outcome: string;
            /**
             * Stale
             * @default
             */
            stale: string;
            /**
             * Missing
             * @default
             */
            missing: string;
            /**
             * Evidence
             * @default
             */
            evidence: string;
            /**
             * Model
             * @default
             */
            model: string;
            /**
             * Identity
             * @default
             */
            identity: string;
            /**
             * Differences
             * @default []
             */
            differences: components["schemas"]["DifferenceInfo"][];
            /**
             * Values
             * @default []
             */
            values: components["schemas"]["ValueInfo"][];
            /**
             * Changes
             * @default []
             */
            changes: components["schemas"]["ChangeInfo"][];
            /**
             * Pitfalls
             * @default []
             */
            pitfalls: components["schemas"]["PitfallInfo"][];
            /**
             * Examples
             * @default []
             */
            examples: components["schemas"]["ExampleInfo"][];
            /**
             * Unsupported
             * @default []
             */
            unsupported: string[];
            /**
             * Trained
             * @default []
             */
            trained: string[];
            notes?: components["schemas"]["NotesInfo"] | null;
        };
        /**
         * LogVersion
         * @description A version in the tree.
         *
         *     Attributes:
         *         name: its name.
         *         title: what it tries.
         *         parent: the version it differs from.
         *         depth: how many ancestors it has.
         *         ran_at: when its last run ended, UTC; None if none did.
         */
        LogVersion: {
            /** Name */
            name: string;
            /** Title */
            title: string;
            /** Parent */
            parent: string | null;
            /** Depth */
            depth: number;
            /** Ran At */
            ran_at: string | null;
        };
        /**
         * LogView
         * @description The tree of a study, parents before children.
         */
        LogView: {
            /** Name */
            name: string;
            /** Title */
            title: string;
            /** About */
            about: string;
            /** Versions */
            versions: components["schemas"]["LogVersion"][];
        };
        /**
         * LookRow
         * @description One value of behaviour by step; formatted.
         */
        LookRow: {
            /** Title */
            title: string;
            /** Decoding */
            decoding: string;
            /** Values */
            values: string[];
        };
        /**
         * LoopInfo
         * @description A phrase that an output repeats; see `study.token_loops.TokenLoop`.
         */
        LoopInfo: {
            /** Onset */
            onset: number;
            /** Period */
            period: number;
            /** Copies */
            copies: number;
            /** Probability */
            probability: number[];
            /** Increased */
            increased: number[];
            /** Won */
            won: number[];
        };
        /**
         * MarkInfo
         * @description A marked stretch of a text, in UTF-16 units, as JavaScript counts.
         *
         *     Attributes:
         *         start: first unit.
         *         end: behind the last one.
         *         label: why it is marked.
         *         kind: name of the pitfall.
         */
        MarkInfo: {
            /** Start */
            start: number;
            /** End */
            end: number;
            /** Label */
            label: string;
            /** Kind */
            kind: string;
        };
        /**
         * MarkedText
         * @description The beginning of a text, or all of it, with its marks.
         *
         *     Attributes:
         *         text: what is sent.
         *         length: UTF-16 units of the whole text.
         *         marks: in the part that is sent.
         */
        MarkedText: {
            /** Text */
            text: string;
            /** Length */
            length: number;
            /** Marks */
            marks: components["schemas"]["MarkInfo"][];
        };
        /**
         * MatrixInfo
         * @description Rows of a matrix, and all that stands above them.
         *
         *     Attributes:
         *         columns: versions, the first one being compared with.
         *         metric: that rows are sorted and judged by.
         *         metrics: that can be chosen.
         *         tags: tag to number of prompts.
         *         pitfalls: names of all pitfalls.
         *         prompts: in all.
         *         total: rows that the filters leave.
         *         offset: place of the first row here.
         *         rows: from there.
         */
        MatrixInfo: {
            /** Columns */
            columns: components["schemas"]["ColumnInfo"][];
            /** Metric */
            metric: string;
            /** Metrics */
            metrics: components["schemas"]["MetricInfo"][];
            /** Tags */
            tags: {
                [key: string]: number;
            };
            /** Pitfalls */
            pitfalls: {
                [key: string]: string;
            };
            /** Prompts */
            prompts: number;
            /** Total */
            total: number;
            /** Offset */
            offset: number;
            /** Rows */
            rows: components["schemas"]["RowInfo"][];
        };
        /**
         * MetricColumn
         * @description A column of the small table, with how its metric is computed.
         */
        MetricColumn: {
            /** Title */
            title: string;
            /** Formula */
            formula: string;
        };
        /**
         * MetricInfo
         * @description A metric that rows can be sorted by.
         */
        MetricInfo: {
            /** Name */
            name: string;
            /** Title */
            title: string;
            /** Direction */
            direction: string;
        };
        /**
         * MicroscopeVersion
         * @description A version whose outputs can be looked at.
         *
         *     Attributes:
         *         name: its name.
         *         title: what it tries.
         *         samples: sample indices of each prompt.
         *         prompts: ids of its suite.
         */
        MicroscopeVersion: {
            /** Name */
            name: string;
            /** Title */
            title: string;
            /** Samples */
            samples: number;
            /** Prompts */
            prompts: string[];
        };
        /**
         * NewPoint
         * @description One value that was measured since the last event; `said` is the value in words.
         */
        NewPoint: {
            /** Name */
            name: string;
            /** Step */
            step: number;
            /** Value */
            value: number | null;
            /** Said */
            said: string;
        };
        /**
         * NotesBody
         * @description New sentences of one field, made from the file with this digest.
         */
        NotesBody: {
            /** Field */
            field: string;
            /** Sentences */
            sentences: string[];
            /** Digest */
            digest: string;
        };
        /**
         * NotesInfo
         * @description The notes of a version file, and the digest of the file that an edit must name.
         */
        NotesInfo: {
            /** File */
            file: string;
            /** Digest */
            digest: string;
            /** Notes */
            notes: {
                [key: string]: string[];
            };
        };
        /**
         * OutputPlace
         * @description An output of the suite.
         */
        OutputPlace: {
            /** Version */
            version: string;
            /** Prompt */
            prompt: string;
            /**
             * Sample
             * @default 0
             */
            sample: number;
        };
        /**
         * OutputView
         * @description An output, token by token.
         *
         *     Attributes:
         *         version: its name.
         *         title: of the version.
         *         prompt_id: of the prompt.
         *         sample: sample index.
         *         branch: id of the branch, if it is one.
         *         words: of a branch, what it changes.
         *         at: of a branch, index of the first token that may differ.
         *         prompt: the text that the model saw.
         *         text: the output.
         *         finish_reason: why it ended.
         *         tokens: in order.
         *         loops: phrases that it repeats.
         *         branches: of the output, those undone included.
         */
        OutputView: {
            /** Version */
            version: string;
            /** Title */
            title: string;
            /** Prompt Id */
            prompt_id: string;
            /** Sample */
            sample: number;
            /** Branch */
            branch: number | null;
            /** Words */
            words: string;
            /** At */
            at: number | null;
            /** Prompt */
            prompt: string;
            /** Text */
            text: string;
            /** Finish Reason */
            finish_reason: string;
            /** Tokens */
            tokens: components["schemas"]["TokenInfo"][];
            /** Loops */
            loops: components["schemas"]["LoopInfo"][];
            /** Branches */
            branches: components["schemas"]["BranchInfo"][];
        };
        /**
         * PairBody
         * @description Which output is better.
         */
        PairBody: {
            /**
             * Prefer
             * @default branch
             * @enum {string}
             */
            prefer: "branch" | "original";
        };
        /**
         * PairInfo
         * @description Two versions, the one with the higher rating first.
         */
        PairInfo: {
            /** First */
            first: string;
            /** Second */
            second: string;
            /** Win Rate */
            win_rate: string;
            /** Interval */
            interval: string;
            /** Equal Length */
            equal_length: string;
            /** Votes */
            votes: number;
            /** P */
            p: string;
            /** Decided */
            decided: boolean;
            /** Verdict */
            verdict: string;
        };
        /**
         * PanelInfo
         * @description One chart.
         *
         *     Attributes:
         *         name: of the quantity.
         *         title: of it.
         *         words: first and last value of each curve.
         *         left_out: how points were thinned.
         *         smoothed: whether a moving mean is drawn.
         *         names: where new points belong.
         *         spec: Vega-Lite, its data in `data.values`.
         */
        PanelInfo: {
            /** Name */
            name: string;
            /** Title */
            title: string;
            /** Words */
            words: string;
            /** Left Out */
            left_out: string;
            /** Smoothed */
            smoothed: boolean;
            /** Names */
            names: components["schemas"]["PointName"][];
            spec: components["schemas"]["JsonValue"];
        };
        /**
         * PitfallInfo
         * @description A pitfall in the outputs of a version, and of its parent if it has one.
         */
        PitfallInfo: {
            /** Name */
            name: string;
            /** Meaning */
            meaning: string;
            /** Found */
            found: number;
            /** Total */
            total: number;
            /** Before */
            before: [
                number,
                number
            ] | null;
        };
        /**
         * PlayBody
         * @description What to generate.
         *
         *     Attributes:
         *         lanes: up to four.
         *         prompt: id of a prompt of the first lane's suite.
         *         text: a text instead.
         *         draw: 0 for the random numbers of the study, else others.
         */
        PlayBody: {
            /** Lanes */
            lanes: components["schemas"]["LaneBody"][];
            /** Prompt */
            prompt?: string | null;
            /** Text */
            text?: string | null;
            /**
             * Draw
             * @default 0
             */
            draw: number;
        };
        /**
         * PlayVersion
         * @description A version that a lane can begin from.
         *
         *     Attributes:
         *         name: its name.
         *         title: what it tries.
         *         values: the values of all settings of its decoding, by dotted field.
         *         prompts: ids of its suite.
         *         streams: whether its text comes token by token.
         */
        PlayVersion: {
            /** Name */
            name: string;
            /** Title */
            title: string;
            /** Values */
            values: {
                [key: string]: components["schemas"]["JsonValue"];
            };
            /** Prompts */
            prompts: string[];
            /** Streams */
            streams: boolean;
        };
        /**
         * PlayView
         * @description What can be played with.
         */
        PlayView: {
            /** Most Lanes */
            most_lanes: number;
            /** Settings */
            settings: components["schemas"]["SettingInfo"][];
            /** Versions */
            versions: components["schemas"]["PlayVersion"][];
        };
        /**
         * PointName
         * @description Where the points of one stored name go in a chart.
         */
        PointName: {
            /** Training */
            training: number;
            /** Stored */
            stored: string;
            /** Run */
            run: string;
            /** Series */
            series: string;
        };
        /**
         * Problem
         * @description Why a request was refused: one line, as on the command line.
         */
        Problem: {
            /** Error */
            error: string;
        };
        /**
         * PromoteBody
         * @description A setting to write as a version; `force` where there is a doubt.
         */
        PromoteBody: {
            /** Setting */
            setting: string;
            /** Name */
            name: string;
            /**
             * Force
             * @default false
             */
            force: boolean;
        };
        /**
         * PromptBody
         * @description A text to add to the suite of a version.
         */
        PromptBody: {
            /** Version */
            version: string;
            /** Id */
            id: string;
            /** Text */
            text: string;
        };
        /**
         * PromptText
         * @description What a prompt of a suite says.
         */
        PromptText: {
            /** Text */
            text: string;
        };
        /**
         * RankingInfo
         * @description A ranking: the verdict, the ratings, pairs, and what is to be known of the votes.
         */
        RankingInfo: {
            /** Verdict */
            verdict: string;
            /** Votes */
            votes: number;
            /** Ratings */
            ratings: components["schemas"]["RatingInfo"][];
            /** Pairs */
            pairs: components["schemas"]["PairInfo"][];
            /** Facts */
            facts: string[];
            /** Voters */
            voters: string[];
        };
        /**
         * RatingInfo
         * @description A version in the ranking; numbers are in words as in the terminal.
         */
        RatingInfo: {
            /** Version */
            version: string;
            /** Group */
            group: number | null;
            /** Low */
            low: number | null;
            /** Estimate */
            estimate: number | null;
            /** High */
            high: number | null;
            /** Rating */
            rating: string;
            /** Interval */
            interval: string;
            /** Equal Length */
            equal_length: string;
            /** Wins */
            wins: number;
            /** Losses */
            losses: number;
            /** Ties */
            ties: number;
            /** Both Bad */
            both_bad: number;
            /** Note */
            note: string;
        };
        /**
         * RecipeBody
         * @description A recipe to write into the study's folder, and to train.
         */
        RecipeBody: {
            /** Versions */
            versions: string[];
            /** Name */
            name: string;
        };
        /**
         * RecipeInfo
         * @description A recipe file of the study.
         *
         *     Attributes:
         *         path: from the study's folder.
         *         name: of the model.
         *         kind: of training; empty where the file is wrong.
         *         title: what it tries.
         *         parent: version that it starts from.
         *         version: child version that it writes.
         *         data: what it learns from, in words.
         *         problem: why the file is wrong.
         *         trainings: ids of its recorded trainings, newest first.
         *         words: what came of the newest one, or that it was never trained.
         *         action: what its button does: Train, Continue, or nothing where it is wrong, running or
         *             finished.
         */
        RecipeInfo: {
            /** Path */
            path: string;
            /** Name */
            name: string;
            /** Kind */
            kind: string;
            /** Title */
            title: string;
            /** Parent */
            parent: string;
            /** Version */
            version: string;
            /** Data */
            data: string;
            /** Problem */
            problem: string;
            /** Trainings */
            trainings: number[];
            /** Words */
            words: string;
            /** Action */
            action: string;
        };
        /**
         * RemarkBody
         * @description Star and comment of a version on a prompt.
         */
        RemarkBody: {
            /** Version */
            version: string;
            /** Prompt Id */
            prompt_id: string;
            /**
             * Star
             * @default false
             */
            star: boolean;
            /**
             * Comment
             * @default
             */
            comment: string;
        };
        /**
         * RemarkInfo
         * @description Star and comment of a cell.
         */
        RemarkInfo: {
            /** Star */
            star: boolean;
            /** Comment */
            comment: string;
        };
        /**
         * Reset
         * @description Events were missed: load the state again.
         */
        Reset: {
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "reset";
        };
        /**
         * RoundInfo
         * @description A round of the race.
         *
         *     Attributes:
         *         number: from 1.
         *         samples: per prompt.
         *         settings: how many ran.
         *         eliminated: those that lost.
         */
        RoundInfo: {
            /** Number */
            number: number;
            /** Samples */
            samples: number;
            /** Settings */
            settings: number;
            /** Eliminated */
            eliminated: components["schemas"]["EliminatedInfo"][];
        };
        /**
         * RowInfo
         * @description A prompt with a cell for each version; None where the version does not have the prompt.
         *
         *     Attributes:
         *         prompt_id: its id.
         *         place: in the order of the suite, from 0.
         *         different: whether a version's texts differ from the first one's.
         *         prompt: its text.
         *         tags: of it.
         *         cells: in the order of the columns.
         */
        RowInfo: {
            /** Prompt Id */
            prompt_id: string;
            /** Place */
            place: number;
            /** Different */
            different: boolean;
            prompt: components["schemas"]["Clipped"];
            /** Tags */
            tags: string[];
            /** Cells */
            cells: (components["schemas"]["CellInfo"] | null)[];
        };
        /**
         * RowsInfo
         * @description Further rows.
         */
        RowsInfo: {
            /** Total */
            total: number;
            /** Offset */
            offset: number;
            /** Rows */
            rows: components["schemas"]["RowInfo"][];
        };
        /**
         * RunBody
         * @description Which versions to run; all if none is named.
         */
        RunBody: {
            /**
             * Versions
             * @default []
             */
            versions: string[];
        };
        /**
         * SampleInfo
         * @description An output in full; equal texts are one.
         *
         *     Attributes:
         *         indices: samples with this text.
         *         output: the whole text.
         *         finish_reason: how it ended.
         *         identity: of the generation.
         *         values: metric to its value on this output, in words.
         *         evidence: what was found, in words.
         */
        SampleInfo: {
            /** Indices */
            indices: number[];
            output: components["schemas"]["MarkedText"];
            /** Finish Reason */
            finish_reason: string;
            /** Identity */
            identity: string;
            /** Values */
            values: {
                [key: string]: string;
            };
            /** Evidence */
            evidence: string[];
        };
        /**
         * SamplesInfo
         * @description A page of the outputs of a setting on the prompts for selection.
         *
         *     Attributes:
         *         setting: its name.
         *         words: its fields with values.
         *         base: the parent.
         *         missing: why the parent's outputs are not shown; empty if they are.
         *         total: prompts in all.
         *         offset: place of the first row here.
         *         rows: a prompt each.
         */
        SamplesInfo: {
            /** Setting */
            setting: string;
            /** Words */
            words: string;
            /** Base */
            base: string;
            /** Missing */
            missing: string;
            /** Total */
            total: number;
            /** Offset */
            offset: number;
            /** Rows */
            rows: components["schemas"]["SweepRow"][];
        };
        /**
         * Saved
         * @description A file that was written.
         */
        Saved: {
            /** File */
            file: string;
        };
        /**
         * SendBody
         * @description A finished job whose outputs go to the arena.
         */
        SendBody: {
            /** Job */
            job: string;
        };
        /**
         * Sent
         * @description The names that outputs have in the arena; they do not tell which side is whose.
         */
        Sent: {
            /** Names */
            names: string[];
        };
        /**
         * SessionBody
         * @description The token of the address that `ethogram ui` printed.
         */
        SessionBody: {
            /** Token */
            token: string;
        };
        /**
         * SettingInfo
         * @description A setting of the decoding, for a slider or a field.
         *
         *     Attributes:
         *         field: its dotted name in a version file.
         *         name: its name within the decoding.
         *         kind: what its values are.
         *         choices: all its values, where they have names.
         *         about: what it does, in plain words.
         *         lower: what a lower value does.
         *         higher: what a higher value does.
         *         default: its value where a version states none.
         *         needs_sampling: whether it has no effect under another strategy.
         *         slider: low end, high end and step; None for a plain field.
         */
        SettingInfo: {
            /** Field */
            field: string;
            /** Name */
            name: string;
            /**
             * Kind
             * @enum {string}
             */
            kind: "number" | "whole" | "choice" | "other";
            /** Choices */
            choices: string[];
            /** About */
            about: string;
            /** Lower */
            lower: string;
            /** Higher */
            higher: string;
            default: components["schemas"]["JsonValue"];
            /** Needs Sampling */
            needs_sampling: boolean;
            /** Slider */
            slider: [
                number,
                number,
                number
            ] | null;
        };
        /**
         * StageInfo
         * @description A distribution before or after a step; see `study.token_choice.ChoiceStage`.
         */
        StageInfo: {
            /** Name */
            name: string;
            /** Label */
            label: string;
            /** Setting */
            setting: string;
            /** Words */
            words: string;
            /** Kept */
            kept: number;
            /** Removed */
            removed: number;
            /** Removed Mass */
            removed_mass: number;
            /** Removed Examples */
            removed_examples: string[];
            /** Entropy */
            entropy: number;
            /** Probability */
            probability: number;
            /** Rest */
            rest: number;
        };
        /**
         * StepView
         * @description What one token was chosen from.
         */
        StepView: {
            /** Step */
            step: number;
            /** Token */
            token: number;
            /** Text */
            text: string;
            /** How */
            how: string;
            /** Why Possible */
            why_possible: string;
            /** Notes */
            notes: string[];
            /** Stages */
            stages: components["schemas"]["StageInfo"][];
            /** Tokens */
            tokens: components["schemas"]["ChoiceToken"][];
        };
        /**
         * StudyChanged
         * @description Files of the study, or what is stored, changed.
         */
        StudyChanged: {
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "study";
        };
        /**
         * SweepAxis
         * @description A field that varies.
         *
         *     Attributes:
         *         field: its dotted name.
         *         name: for people.
         *         labels: its values in order; empty where it is continuous.
         */
        SweepAxis: {
            /** Field */
            field: string;
            /** Name */
            name: string;
            /** Labels */
            labels: string[];
        };
        /**
         * SweepBody
         * @description A sweep to start; the options of `ethogram sweep`.
         *
         *     Attributes:
         *         base: the parent version.
         *         axes: FIELD=VALUES, one for each field that varies.
         *         goals: METRIC or METRIC:higher or METRIC:lower; empty takes the version's own.
         *         search: grid, or how to draw `trials` settings.
         *         trials: of a search.
         *         samples: per prompt; None takes the version's number.
         *         race: eliminate settings early.
         */
        SweepBody: {
            /** Base */
            base: string;
            /** Axes */
            axes: string[];
            /**
             * Goals
             * @default []
             */
            goals: string[];
            /**
             * Search
             * @default grid
             * @enum {string}
             */
            search: "grid" | "random" | "tpe" | "nsga2";
            /**
             * Trials
             * @default 60
             */
            trials: number;
            /** Samples */
            samples?: number | null;
            /**
             * Race
             * @default true
             */
            race: boolean;
        };
        /**
         * SweepChanged
         * @description More of a sweep was stored.
         *
         *     Attributes:
         *         sweep: its number.
         */
        SweepChanged: {
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "sweep";
            /** Sweep */
            sweep: number;
        };
        /**
         * SweepInfo
         * @description A sweep as far as it came.
         *
         *     Attributes:
         *         why: the rule that made the choice.
         *         chosen: name of the chosen setting.
         *         facts: what was run, in words.
         *         again: what starts the same sweep.
         *         axes: the fields that vary.
         *         metrics: that charts can show, objectives first.
         *         base_values: the parent's, in words.
         *         trials: by rank.
         *         rounds: of the race.
         *         holdout: the choice minus the parent, on held-out prompts.
         *         holdout_prompts: how many.
         *         next_version: a free name for a child.
         */
        SweepInfo: {
            /** Id */
            id: number;
            /** Title */
            title: string;
            /** Base */
            base: string;
            /**
             * State
             * @enum {string}
             */
            state: "running" | "done" | "stopped" | "interrupted";
            /** Sentence */
            sentence: string;
            /** Started At */
            started_at: string;
            /** Job */
            job: string | null;
            /** Why */
            why: string;
            /** Chosen */
            chosen: string | null;
            /** Facts */
            facts: string;
            again: components["schemas"]["SweepBody"];
            /** Axes */
            axes: components["schemas"]["SweepAxis"][];
            /** Metrics */
            metrics: components["schemas"]["SweepMetric"][];
            /** Base Values */
            base_values: {
                [key: string]: string;
            };
            /** Trials */
            trials: components["schemas"]["TrialInfo"][];
            /** Rounds */
            rounds: components["schemas"]["RoundInfo"][];
            /** Holdout */
            holdout: components["schemas"]["DifferenceInfo"][];
            /** Holdout Prompts */
            holdout_prompts: number;
            /** Next Version */
            next_version: string;
        };
        /**
         * SweepLine
         * @description A sweep in the list.
         *
         *     Attributes:
         *         id: its number.
         *         title: the fields that vary, and the parent.
         *         base: the parent.
         *         state: running, done, stopped or interrupted.
         *         sentence: the verdict in words, or how far it came.
         *         started_at: UTC.
         *         job: of this server, if it runs here.
         */
        SweepLine: {
            /** Id */
            id: number;
            /** Title */
            title: string;
            /** Base */
            base: string;
            /**
             * State
             * @enum {string}
             */
            state: "running" | "done" | "stopped" | "interrupted";
            /** Sentence */
            sentence: string;
            /** Started At */
            started_at: string;
            /** Job */
            job: string | null;
        };
        /**
         * SweepMetric
         * @description A metric that charts can show.
         *
         *     Attributes:
         *         name: its name.
         *         title: for people.
         *         direction: higher, lower or none, whichever is better in this sweep.
         *         objective: whether the sweep made it better.
         */
        SweepMetric: {
            /** Name */
            name: string;
            /** Title */
            title: string;
            /** Direction */
            direction: string;
            /** Objective */
            objective: boolean;
        };
        /**
         * SweepOutput
         * @description An output; equal texts of one prompt are one.
         *
         *     Attributes:
         *         indices: samples with this text.
         *         output: the whole text, with evidence of the objectives.
         *         finish_reason: how it ended.
         *         values: objective to its value on this output, in words.
         */
        SweepOutput: {
            /** Indices */
            indices: number[];
            output: components["schemas"]["MarkedText"];
            /** Finish Reason */
            finish_reason: string;
            /** Values */
            values: {
                [key: string]: string;
            };
        };
        /**
         * SweepRow
         * @description The outputs of a prompt: of the setting and of the parent.
         */
        SweepRow: {
            /** Prompt Id */
            prompt_id: string;
            /** Prompt */
            prompt: string;
            /** Outputs */
            outputs: components["schemas"]["SweepOutput"][];
            /** Parent */
            parent: components["schemas"]["SweepOutput"][];
        };
        /**
         * SweepsView
         * @description The sweeps of a study, newest first, and what a new one can be made of.
         */
        SweepsView: {
            /** Sweeps */
            sweeps: components["schemas"]["SweepLine"][];
            /** Versions */
            versions: components["schemas"]["FormVersion"][];
            /** Fields */
            fields: string[];
            /** Metrics */
            metrics: [
                string,
                string
            ][];
        };
        /**
         * ThreadInfo
         * @description One prompt through all versions.
         *
         *     Attributes:
         *         prompt_id: its id.
         *         prompt: its text.
         *         why: by which rule it was chosen.
         *         outputs: of each version, in order.
         */
        ThreadInfo: {
            /** Prompt Id */
            prompt_id: string;
            /** Prompt */
            prompt: string;
            /** Why */
            why: string;
            /** Outputs */
            outputs: components["schemas"]["ThreadOutput"][];
        };
        /**
         * ThreadOutput
         * @description What a version makes of the prompt.
         */
        ThreadOutput: {
            /** Version */
            version: string;
            /** Text */
            text: string;
        };
        /**
         * TokenInfo
         * @description One token of an output.
         *
         *     Attributes:
         *         id: in the vocabulary.
         *         text: its own; of tokens that make a character together, the first has it.
         *         part: which of these it is and how many there are; None if it stands alone.
         *         probability: under the model, at temperature 1.
         *         rank: under the model.
         *         entropy: of the model's distribution, nats.
         *         final: its probability in the final distribution.
         *         kept: tokens still possible after the last step; None without steps.
         *         alternatives: most probable first.
         */
        TokenInfo: {
            /** Id */
            id: number;
            /** Text */
            text: string;
            /** Part */
            part: [
                number,
                number
            ] | null;
            /** Probability */
            probability: number;
            /** Rank */
            rank: number;
            /** Entropy */
            entropy: number;
            /** Final */
            final: number;
            /** Kept */
            kept: number | null;
            /** Alternatives */
            alternatives: components["schemas"]["Alternative"][];
        };
        /**
         * TrainBody
         * @description A recipe of the study, and the seeds to train in place of its own.
         */
        TrainBody: {
            /** Recipe */
            recipe: string;
            /**
             * Seeds
             * @default []
             */
            seeds: number[];
        };
        /**
         * TrainView
         * @description All trainings, newest first, and all recipes.
         */
        TrainView: {
            /** Recipes */
            recipes: components["schemas"]["RecipeInfo"][];
            /** Trainings */
            trainings: components["schemas"]["TrainingInfo"][];
        };
        /**
         * TrainingChanged
         * @description A training began, went on or ended: how far it is, in words.
         */
        TrainingChanged: {
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "training";
            training: components["schemas"]["TrainingInfo"];
        };
        /**
         * TrainingDetail
         * @description One training in full.
         *
         *     Attributes:
         *         training: in short.
         *         plan: lines of name and words; what was planned before the first step.
         *         measured: the estimate beside what it took: name, estimate, measured.
         *         warnings: of the checks before the first step and after the last one.
         *         looks: steps of the columns of `behaviour`.
         *         behaviour: values by step.
         *         prompts: id to the beginning of its text, of those that were watched.
         *         decodings: that were watched.
         *         recipe: as it was when the training began, as JSON.
         */
        TrainingDetail: {
            training: components["schemas"]["TrainingInfo"];
            /** Plan */
            plan: [
                string,
                string
            ][];
            /** Measured */
            measured: [
                string,
                string,
                string
            ][];
            /** Warnings */
            warnings: string[];
            /** Looks */
            looks: number[];
            /** Behaviour */
            behaviour: components["schemas"]["LookRow"][];
            /** Prompts */
            prompts: {
                [key: string]: string;
            };
            /** Decodings */
            decodings: string[];
            /** Recipe */
            recipe: string;
        };
        /**
         * TrainingInfo
         * @description A recorded training.
         *
         *     Attributes:
         *         words: how far it is, or what came of it.
         *         recipe: path of the recipe file that trains it; empty where none does any more.
         *         exists: whether its child version is there.
         *         changed: why continuing it would be another training; empty where it would not.
         */
        TrainingInfo: {
            /** Id */
            id: number;
            /** Name */
            name: string;
            /** Kind */
            kind: string;
            /** Seed */
            seed: number;
            /** Parent */
            parent: string;
            /** Version */
            version: string;
            /** Exists */
            exists: boolean;
            /** State */
            state: string;
            /** Words */
            words: string;
            /** Step */
            step: number;
            /** Steps */
            steps: number;
            /** Started At */
            started_at: string;
            /** Recipe */
            recipe: string;
            /** Changed */
            changed: string;
        };
        /**
         * TrainingPoints
         * @description Points that a training stored since the last event.
         */
        TrainingPoints: {
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "training_points";
            /** Id */
            id: number;
            /** Points */
            points: components["schemas"]["NewPoint"][];
        };
        /**
         * TrainingRepeated
         * @description A training repeats steps after it was resumed: load its curves again.
         */
        TrainingRepeated: {
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "training_repeated";
            /** Id */
            id: number;
        };
        /**
         * TrainingSample
         * @description One output of a step.
         *
         *     Attributes:
         *         step: optimiser steps done.
         *         decoding: name of it.
         *         prompt: id.
         *         sample: index, from 0.
         *         output: with its pitfalls marked.
         *         ended: how it ended.
         *         faults: titles of its pitfalls.
         */
        TrainingSample: {
            /** Step */
            step: number;
            /** Decoding */
            decoding: string;
            /** Prompt */
            prompt: string;
            /** Sample */
            sample: number;
            output: components["schemas"]["MarkedText"];
            /** Ended */
            ended: string;
            /** Faults */
            faults: string[];
        };
        /**
         * TrainingSamples
         * @description What a training wrote at a step.
         */
        TrainingSamples: {
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "training_samples";
            /** Id */
            id: number;
            /** Samples */
            samples: components["schemas"]["TrainingSample"][];
        };
        /**
         * TrialInfo
         * @description A setting.
         *
         *     Attributes:
         *         name: in this sweep.
         *         words: its fields with values.
         *         setting: field to value, in words.
         *         values: objective to value, in words.
         *         samples: per prompt, that they rest on.
         *         fate: what became of it.
         *         eliminated: by what and when, in words; empty if it was not.
         *         front_share: how often it is on the front when prompts are drawn again, in words.
         *         against: minus the parent on the selection prompts: objective to difference and 95 %
         *             interval, in words; empty where it did not finish the race.
         *         doubt: why it should not become a version without a second thought.
         *         promoted: versions that it became.
         */
        TrialInfo: {
            /** Name */
            name: string;
            /** Words */
            words: string;
            /** Setting */
            setting: {
                [key: string]: string;
            };
            /** Values */
            values: {
                [key: string]: string;
            };
            /** Samples */
            samples: number;
            /**
             * Fate
             * @enum {string}
             */
            fate: "chosen" | "front" | "behind" | "racing" | "eliminated" | "parent";
            /** Eliminated */
            eliminated: string;
            /** Front Share */
            front_share: string;
            /** Against */
            against: {
                [key: string]: string;
            };
            /** Doubt */
            doubt: string;
            /** Promoted */
            promoted: string[];
        };
        /**
         * Turn
         * @description What a voter sees after voting.
         *
         *     Attributes:
         *         pair: to vote on next; None if all are done.
         *         refused: why the vote does not count; empty if it does.
         *         standing: the choice that counts instead, where there is one.
         */
        Turn: {
            pair: components["schemas"]["ArenaPair"] | null;
            /**
             * Refused
             * @default
             */
            refused: string;
            /** Standing */
            standing?: string | null;
        };
        /** ValidationError */
        ValidationError: {
            /** Location */
            loc: (string | number)[];
            /** Message */
            msg: string;
            /** Error Type */
            type: string;
            /** Input */
            input?: unknown;
            /** Context */
            ctx?: Record<string, never>;
        };
        /**
         * ValueInfo
         * @description A metric's value, in words.
         */
        ValueInfo: {
            /** Metric */
            metric: string;
            /** Title */
            title: string;
            /** Words */
            words: string;
        };
        /**
         * VerdictInfo
         * @description What the paired tests of a version against the first column say.
         *
         *     Attributes:
         *         sentence: in words; empty for the first column, and where there is nothing to compare.
         *         differences: clear ones first.
         */
        VerdictInfo: {
            /** Sentence */
            sentence: string;
            /** Differences */
            differences: components["schemas"]["DifferenceInfo"][];
        };
        /**
         * VersionBody
         * @description The child version to write.
         */
        VersionBody: {
            /** Name */
            name: string;
            /**
             * Title
             * @default
             */
            title: string;
        };
        /**
         * VersionRow
         * @description A version in the small table.
         *
         *     Attributes:
         *         version: its name.
         *         title: what it tries.
         *         values: of the columns, in words.
         *         prompts: with outputs.
         *         clear: what changed clearly against its parent, with arrows.
         */
        VersionRow: {
            /** Version */
            version: string;
            /** Title */
            title: string;
            /** Values */
            values: string[];
            /** Prompts */
            prompts: number;
            /** Clear */
            clear: string;
        };
        /**
         * VoteBody
         * @description A vote on a pair that was shown.
         */
        VoteBody: {
            /** Versions */
            versions: string[];
            /** Voter */
            voter: string;
            /** Ticket */
            ticket: string;
            /**
             * Choice
             * @enum {string}
             */
            choice: "left" | "right" | "tie" | "both_bad" | "skip";
        };
        /**
         * VoterBody
         * @description Who votes on which versions.
         */
        VoterBody: {
            /** Versions */
            versions: string[];
            /** Voter */
            voter: string;
        };
        /**
         * VotesChanged
         * @description A vote was given or taken back.
         */
        VotesChanged: {
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "votes";
        };
        /**
         * Written
         * @description A file that was written, and its rows or the version in it.
         */
        Written: {
            /** File */
            file: string;
            /** Rows */
            rows?: number | null;
            /** Version */
            version?: string | null;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    session: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SessionBody"];
            };
        };
        responses: {
            /** @description Successful Response */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HTTPValidationError"];
                };
            };
        };
    };
    about: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["About"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    events: {
        parameters: {
            query?: {
                after?: string | null;
            };
            header?: {
                "last-event-id"?: string | null;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AnyEvent"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HTTPValidationError"];
                };
            };
        };
    };
    jobs: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobInfo"][];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    job: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                job_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobDetail"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HTTPValidationError"];
                };
            };
        };
    };
    stop_job: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                job_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobInfo"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HTTPValidationError"];
                };
            };
        };
    };
    arena_versions: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ArenaVersion"][];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    arena_next: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["VoterBody"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Turn"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HTTPValidationError"];
                };
            };
        };
    };
    arena_vote: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["VoteBody"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Turn"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HTTPValidationError"];
                };
            };
        };
    };
    arena_undo: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["VoterBody"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Turn"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HTTPValidationError"];
                };
            };
        };
    };
    arena_ranking: {
        parameters: {
            query: {
                versions: string[];
                voter?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RankingInfo"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HTTPValidationError"];
                };
            };
        };
    };
    arena_pairs: {
        parameters: {
            query: {
                versions: string[];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HTTPValidationError"];
                };
            };
        };
    };
    arena_train: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RecipeBody"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobInfo"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HTTPValidationError"];
                };
            };
        };
    };
    log: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LogView"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    findings: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FindingsInfo"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    log_entry: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                version: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LogEntry"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HTTPValidationError"];
                };
            };
        };
    };
    notes: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                version: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NotesInfo"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HTTPValidationError"];
                };
            };
        };
    };
    save_notes: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                version: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NotesBody"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NotesInfo"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Conflict */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NotesInfo"];
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HTTPValidationError"];
                };
            };
        };
    };
    compare: {
        parameters: {
            query: {
                versions: string[];
                mode?: "different" | "worse" | "better" | "failures" | "all";
                metric?: string;
                sort?: "difference" | "suite" | "value";
                tags?: string[];
                pitfall?: string;
                low?: number | null;
                high?: number | null;
                text?: string;
                pattern?: boolean;
                prompts?: string[];
                offset?: number;
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MatrixInfo"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HTTPValidationError"];
                };
            };
        };
    };
    compare_rows: {
        parameters: {
            query: {
                versions: string[];
                mode?: "different" | "worse" | "better" | "failures" | "all";
                metric?: string;
                sort?: "difference" | "suite" | "value";
                tags?: string[];
                pitfall?: string;
                low?: number | null;
                high?: number | null;
                text?: string;
                pattern?: boolean;
                prompts?: string[];
                offset?: number;
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RowsInfo"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HTTPValidationError"];
                };
            };
        };
    };
    compare_verdicts: {
        parameters: {
            query: {
                versions: string[];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["VerdictInfo"][];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HTTPValidationError"];
                };
            };
        };
    };
    compare_cell: {
        parameters: {
            query: {
                version: string;
                prompt: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CellDetail"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HTTPValidationError"];
                };
            };
        };
    };
    compare_chart: {
        parameters: {
            query: {
                versions: string[];
                mode?: "different" | "worse" | "better" | "failures" | "all";
                metric?: string;
                sort?: "difference" | "suite" | "value";
                tags?: string[];
                pitfall?: string;
                low?: number | null;
                high?: number | null;
                text?: string;
                pattern?: boolean;
                prompts?: string[];
                offset?: number;
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChartInfo"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HTTPValidationError"];
                };
            };
        };
    };
    save_remark: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RemarkBody"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RemarkInfo"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HTTPValidationError"];
                };
            };
        };
    };
    microscope_versions: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MicroscopeVersion"][];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    microscope_output: {
        parameters: {
            query?: {
                version?: string;
                prompt?: string;
                sample?: number;
                branch?: number | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OutputView"] | null;
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HTTPValidationError"];
                };
            };
        };
    };
    microscope_step: {
        parameters: {
            query: {
                step: number;
                version?: string;
                prompt?: string;
                sample?: number;
                branch?: number | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["StepView"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HTTPValidationError"];
                };
            };
        };
    };
    microscope_trace: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["OutputPlace"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobInfo"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HTTPValidationError"];
                };
            };
        };
    };
    microscope_branch: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["BranchBody"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobInfo"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HTTPValidationError"];
                };
            };
        };
    };
    undo: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                number: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BranchInfo"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HTTPValidationError"];
                };
            };
        };
    };
    restore: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                number: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BranchInfo"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HTTPValidationError"];
                };
            };
        };
    };
    write_branch_version: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                number: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["VersionBody"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Written"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HTTPValidationError"];
                };
            };
        };
    };
    write_pair: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                number: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PairBody"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Written"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HTTPValidationError"];
                };
            };
        };
    };
    play_view: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PlayView"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    start_play: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PlayBody"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobInfo"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HTTPValidationError"];
                };
            };
        };
    };
    prompt_text: {
        parameters: {
            query: {
                version: string;
                prompt: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PromptText"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HTTPValidationError"];
                };
            };
        };
    };
    add_prompt: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PromptBody"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Saved"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HTTPValidationError"];
                };
            };
        };
    };
    send_to_arena: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SendBody"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Sent"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HTTPValidationError"];
                };
            };
        };
    };
    save_version: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ChildBody"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Saved"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HTTPValidationError"];
                };
            };
        };
    };
    start_run: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RunBody"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobInfo"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HTTPValidationError"];
                };
            };
        };
    };
    search: {
        parameters: {
            query?: {
                q?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Hit"][];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HTTPValidationError"];
                };
            };
        };
    };
    sweeps: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SweepsView"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    start_sweep: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SweepBody"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobInfo"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HTTPValidationError"];
                };
            };
        };
    };
    one_sweep: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                number: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SweepInfo"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HTTPValidationError"];
                };
            };
        };
    };
    sweep_samples: {
        parameters: {
            query: {
                setting: string;
                offset?: number;
                limit?: number;
            };
            header?: never;
            path: {
                number: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SamplesInfo"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HTTPValidationError"];
                };
            };
        };
    };
    sweep_heat: {
        parameters: {
            query: {
                x: string;
                metric: string;
                y?: string;
                fixed?: string[] | null;
            };
            header?: never;
            path: {
                number: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HeatInfo"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HTTPValidationError"];
                };
            };
        };
    };
    sweep_front: {
        parameters: {
            query: {
                x: string;
                y: string;
            };
            header?: never;
            path: {
                number: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChartInfo"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HTTPValidationError"];
                };
            };
        };
    };
    sweep_parallel: {
        parameters: {
            query: {
                metrics: string[];
            };
            header?: never;
            path: {
                number: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChartInfo"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HTTPValidationError"];
                };
            };
        };
    };
    sweep_race: {
        parameters: {
            query: {
                metric: string;
            };
            header?: never;
            path: {
                number: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChartInfo"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HTTPValidationError"];
                };
            };
        };
    };
    promote_setting: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                number: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PromoteBody"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Saved"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HTTPValidationError"];
                };
            };
        };
    };
    trainings: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TrainView"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    curves: {
        parameters: {
            query: {
                id: number[];
                quantity?: string[];
                log?: boolean;
                window?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CurvesInfo"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HTTPValidationError"];
                };
            };
        };
    };
    training: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                training: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TrainingDetail"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HTTPValidationError"];
                };
            };
        };
    };
    samples: {
        parameters: {
            query: {
                prompt: string;
                decoding?: string;
            };
            header?: never;
            path: {
                training: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TrainingSample"][];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HTTPValidationError"];
                };
            };
        };
    };
    plan: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TrainBody"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobInfo"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HTTPValidationError"];
                };
            };
        };
    };
    start: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TrainBody"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobInfo"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HTTPValidationError"];
                };
            };
        };
    };
    go_on: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ContinueBody"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobInfo"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HTTPValidationError"];
                };
            };
        };
    };
    stop: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                training: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TrainingInfo"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HTTPValidationError"];
                };
            };
        };
    };
}
