// Log: the versions as a tree in time, each with what came of it.
import { get } from "../client";
import { useLoad } from "../load";
import { Shown } from "../parts/states";
import { Plain } from "../parts/texts";

export function Log() {
  const log = useLoad("log", (signal) => get("/api/log", { signal }));
  return (
    <Shown loaded={log}>
      {(data) => (
        <>
          <h1>
            <Plain text={data.title} />
          </h1>
          <ol className="plain versions">
            {data.versions.map((version) => (
              <li key={version.name} data-depth={Math.min(version.depth, 8)}>
                <b>{version.name}</b> <Plain text={version.title} />
              </li>
            ))}
          </ol>
        </>
      )}
    </Shown>
  );
}
