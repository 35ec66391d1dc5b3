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
         * @description A stored output or branch, token by token; runs no model.
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
    "/api/play/prompt": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
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
         * @description Versions and prompts whose name or text has these words, names first.
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
        AnyEvent: components["schemas"]["Reset"] | components["schemas"]["StudyChanged"] | components["schemas"]["JobChanged"] | components["schemas"]["JobText"] | components["schemas"]["JobRow"];
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
        /** HTTPValidationError */
        HTTPValidationError: {
            /** Detail */
            detail?: components["schemas"]["ValidationError"][];
        };
        /**
         * Hit
         * @description Something that the palette can open.
         */
        Hit: {
            /**
             * Kind
             * @enum {string}
             */
            kind: "version" | "prompt";
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
         * LogVersion
         * @description A version in the tree.
         *
         *     Attributes:
         *         name: its name.
         *         title: what it tries.
         *         parent: the version it differs from.
         *         depth: how many ancestors it has.
         *         differences: against its parent.
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
            /** Differences */
            differences: components["schemas"]["DifferenceInfo"][];
        };
        /**
         * LogView
         * @description The tree of a study.
         */
        LogView: {
            /** Title */
            title: string;
            /** About */
            about: string;
            /** Versions */
            versions: components["schemas"]["LogVersion"][];
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
         * Problem
         * @description Why a request was refused: one line, as on the command line.
         */
        Problem: {
            /** Error */
            error: string;
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
         * Saved
         * @description A file that was written.
         */
        Saved: {
            /** File */
            file: string;
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
                    "application/json": components["schemas"]["OutputView"];
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
}
