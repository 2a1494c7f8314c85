/* The search page. */
import { h } from "../parts/h.ts";
import { SearchSurface } from "../parts/search_surface.ts";

export function SearchPage() {
  return h("main.search-page", null, h(SearchSurface, { page: "search" }));
}
