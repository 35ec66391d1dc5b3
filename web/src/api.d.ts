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
         * AnyEvent
         * @description An event of the stream.
         */
        AnyEvent: components["schemas"]["Reset"] | components["schemas"]["StudyChanged"] | components["schemas"]["JobChanged"] | components["schemas"]["JobText"] | components["schemas"]["JobRow"];
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
         * Problem
         * @description Why a request was refused: one line, as on the command line.
         */
        Problem: {
            /** Error */
            error: string;
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
         * SessionBody
         * @description The token of the address that `ethogram ui` printed.
         */
        SessionBody: {
            /** Token */
            token: string;
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
