// What is shown while something loads, and when it could not be loaded.
import type { ReactNode } from "react";
import type { Loaded } from "../load";
import { plain } from "../text";

/** The error of a request, in the server's one line. */
export function Problem({ error }: { error: Error }) {
  return (
    <p role="alert" className="problem">
      {plain(error.message)}
    </p>
  );
}

/** Shows what was loaded; before that, that it loads. Old data stays while new data comes. */
export function Shown<T>({
  loaded,
  children,
}: {
  loaded: Loaded<T>;
  children: (data: T) => ReactNode;
}) {
  return (
    <>
      {loaded.error && <Problem error={loaded.error} />}
      {loaded.data !== undefined && children(loaded.data)}
      {loaded.data === undefined && loaded.loading && (
        <p className="soft" role="status">
          Loading …
        </p>
      )}
    </>
  );
}
