// Differences of two versions: the headline with whiskers, and the whole table.
import { type Difference, Interval, toneOf, Verdict } from "./verdict";

/** Differences shown before "all metrics". */
const HEADLINE = 3;

function Line({ item }: { item: Difference }) {
  return (
    <li className="difference">
      <Verdict item={item} />
      <span className={toneOf(item)}>
        {item.words.name} {item.words.from_to}
      </span>
      <span className="soft number">{item.words.interval}</span>
      <Interval item={item} />
      {item.doubt && <span className="soft">{item.doubt}</span>}
    </li>
  );
}

/** The first differences, each with its interval; all of them in a table behind it. */
export function Differences({
  items,
  before,
  after,
}: {
  items: readonly Difference[];
  before: string;
  after: string;
}) {
  if (items.length === 0) return null;
  return (
    <>
      <ul className="plain">
        {items.slice(0, HEADLINE).map((item) => (
          <Line key={item.metric} item={item} />
        ))}
      </ul>
      <details>
        <summary>All {items.length} metrics</summary>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a wide table scrolls by keyboard too */}
        <section className="scroll" tabIndex={0} aria-label={`${before} and ${after}, all metrics`}>
          <table>
            <thead>
              <tr>
                <th scope="col">metric</th>
                <th scope="col">verdict</th>
                <th scope="col" className="number">
                  {before}
                </th>
                <th scope="col" className="number">
                  {after}
                </th>
                <th scope="col" className="number">
                  difference
                </th>
                <th scope="col" className="number">
                  95 % interval
                </th>
                <th scope="col" className="number">
                  p
                </th>
                <th scope="col" className="number">
                  prompts
                </th>
                <th scope="col">in standard deviations between prompts, −3 to 3</th>
              </tr>
            </thead>
            <tbody>
              {items.map((item) => (
                <tr key={item.metric}>
                  <th scope="row">{item.title}</th>
                  <td>
                    {item.same ? (
                      <span className="soft">same in both</span>
                    ) : (
                      <Verdict item={item} />
                    )}
                  </td>
                  <td className="number">{item.words.before}</td>
                  <td className="number">{item.words.after}</td>
                  <td className="number">{item.words.difference}</td>
                  <td className="number" title={item.doubt}>
                    {item.words.interval}
                    {item.doubt && " ?"}
                  </td>
                  <td className="number">{item.words.p}</td>
                  <td className="number">{item.prompts}</td>
                  <td>
                    <Interval item={item} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      </details>
    </>
  );
}
