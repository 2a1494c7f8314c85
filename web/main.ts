/* Start: theme and language, who is signed in, then the page the address names. */
import { render } from "preact";
import { useEffect } from "preact/hooks";
import type { FunctionComponent } from "preact";
import { h } from "./parts/h.ts";
import { Shell } from "./parts/shell.ts";
import { lazy } from "./parts/lazy.ts";
import { startKeys } from "./parts/keys.ts";
import { ApiError, api, whenSignedOut } from "./api.ts";
import { applyTheme, getState, setLanguage, setState, useStore } from "./state.ts";
import type { PageName } from "./state.ts";
import { LoginPage, SetupPage, UnreachablePage } from "./pages/welcome.ts";
import { HomePage } from "./pages/home.ts";
import { SearchPage } from "./pages/search.ts";

const PAGE: Record<PageName, FunctionComponent> = {
  home: HomePage,
  search: SearchPage,
  dashboards: lazy(() => import("./pages/dashboards.ts").then((made) => made.DashboardsPage)),
  incidents: lazy(() => import("./pages/incidents.ts").then((made) => made.IncidentsPage)),
  wake: lazy(() => import("./pages/wake.ts").then((made) => made.WakePage)),
  brake: lazy(() => import("./pages/brake.ts").then((made) => made.BrakePage)),
  rules: lazy(() => import("./pages/rules.ts").then((made) => made.RulesPage)),
  sources: lazy(() => import("./pages/sources.ts").then((made) => made.SourcesPage)),
  unknown: lazy(() => import("./pages/unknown.ts").then((made) => made.UnknownPage)),
  exceptions: lazy(() => import("./pages/exceptions.ts").then((made) => made.ExceptionsPage)),
  entity: lazy(() => import("./pages/entity.ts").then((made) => made.EntityPage)),
  access: lazy(() => import("./pages/settings.ts").then((made) => made.SettingsPage)),
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
  if (user) return h(Shell, {}, h(PAGE[page] as FunctionComponent<object>, { key: page }));
  if (user === undefined) return null;
  if (!status || (!reachable && !status.setup_required)) return h(UnreachablePage, { retry: () => { setState({ user: undefined }); void begin(); } });
  return status.setup_required ? h(SetupPage, {}) : h(LoginPage, {});
}

whenSignedOut(() => { if (getState().user) setState({ user: null, overview: null }); });
applyTheme();
startKeys();
render(h(App, {}), document.getElementById("app")!);
