/* A component whose code is fetched when it is first shown. */
import { useEffect, useState } from "preact/hooks";
import type { FunctionComponent } from "preact";
import { h } from "./h.ts";
import { errorText } from "./poll.ts";

export function lazy<P extends object>(load: () => Promise<FunctionComponent<P>>): FunctionComponent<P> {
  let loaded: FunctionComponent<P> | null = null;
  return function Lazy(props: P) {
    const [made, setMade] = useState<{ draw: FunctionComponent<P> } | null>(loaded && { draw: loaded });
    const [wrong, setWrong] = useState<string | null>(null);
    useEffect(() => {
      if (!made) void load().then((draw) => { loaded = draw; setMade({ draw }); }, (error) => setWrong(errorText(error)));
    }, []);
    if (made) return h(made.draw as FunctionComponent<any>, props);
    return wrong ? h("p.message.error", { role: "alert" }, h("b", null, "✕ "), wrong) : null;
  };
}
