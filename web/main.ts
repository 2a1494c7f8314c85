/* Start: theme and language, who is signed in, then the page the address names. */
import { render } from "preact";
import { useEffect } from "preact/hooks";
import { h } from "./parts/h.ts";
import { Shell } from "./parts/shell.ts";
import { startKeys } from "./parts/keys.ts";
import { ApiError, api, whenSignedOut } from "./api.ts";
import { applyTheme, getState, setLanguage, setState, useStore } from "./state.ts";
import type { PageName } from "./state.ts";
import { LoginPage, SetupPage, UnreachablePage } from "./pages/welcome.ts";
import { HomePage } from "./pages/home.ts";
import { SearchPage } from "./pages/search.ts";
import { IncidentsPage } from "./pages/incidents.ts";
import { WakePage } from "./pages/wake.ts";
import { BrakePage } from "./pages/brake.ts";
import { SourcesPage } from "./pages/sources.ts";
import { UnknownPage } from "./pages/unknown.ts";
import { ExceptionsPage } from "./pages/exceptions.ts";
import { AccessPage } from "./pages/access.ts";

const PAGE: Record<PageName, () => any> = {
  home: HomePage, search: SearchPage, incidents: IncidentsPage, wake: WakePage, brake: BrakePage, sources: SourcesPage, unknown: UnknownPage, exceptions: ExceptionsPage, access: AccessPage,
};

async function begin(): Promise<void> {
  try {
    const status = await api.status();
    setState({ status, reachable: true });
    if (status.setup_required) return setState({ user: null });
    const user = await api.session();
    if (user.language) setLanguage(user.language);
    setState({ user });
  } catch (error) {
    const refused = error instanceof ApiError && error.status === 401;
    setState({ user: null, reachable: refused });
  }
}

function App() {
  const user = useStore((s) => s.user);
  const status = useStore((s) => s.status);
  const page = useStore((s) => s.route.page);
  const reachable = useStore((s) => s.reachable);
  useEffect(() => { void begin(); }, []);
  if (user) return h(Shell, {}, h(PAGE[page] as () => any, { key: page }));
  if (user === undefined) return null;
  if (!status || (!reachable && !status.setup_required)) return h(UnreachablePage, { retry: () => { setState({ user: undefined }); void begin(); } });
  return status.setup_required ? h(SetupPage, {}) : h(LoginPage, {});
}

whenSignedOut(() => { if (getState().user) setState({ user: null, overview: null }); });
applyTheme();
startKeys();
render(h(App, {}), document.getElementById("app")!);
