/* Places as circles on the world; the land is drawn when it has come (Natural Earth, a part that is fetched only here). */
import { h as svg } from "preact";
import { useEffect, useState } from "preact/hooks";
import { h } from "../parts/h.ts";
import { grouped } from "../parts/format.ts";
import { valueText, visible } from "../parts/visible.ts";
import { latitude, longitude, numberOf, numericColumns } from "./columns.ts";
import type { PanelProps } from "../panels.ts";
import { t } from "../i18n/text.ts";

const WIDTH = 720, HEIGHT = 360; // two pixels a degree: plate carrée
const PLACES_MAX = 500;
const LISTED = 8;
const RADIUS_MAX = 18;

let land: string | null = null;

export function MapPanel(props: PanelProps) {
  const { columns, rows } = props;
  const [path, setPath] = useState(land);
  useEffect(() => { if (!path) void import("./land.ts").then((made) => setPath((land = made.landPath(WIDTH, HEIGHT)))); }, []);
  const lat = latitude(columns), lon = longitude(columns);
  const size = numericColumns(columns, rows).find((i) => i !== lat && i !== lon);
  const places = rows.slice(0, PLACES_MAX).map((row) => ({ lat: numberOf(row[lat]), lon: numberOf(row[lon]), value: size === undefined ? 1 : numberOf(row[size]) ?? 0, row }))
    .filter((place): place is typeof place & { lat: number; lon: number } => place.lat !== null && place.lon !== null);
  const most = Math.max(1e-12, ...places.map((place) => place.value));
  const text = (place: (typeof places)[number]) => columns.map((name, i) => (name === "geobin" ? "" : `${name} ${valueText(place.row[i])}`)).filter(Boolean).join(", ");
  return h("div.map-panel", null,
    svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": t("panel.places", { n: places.length }) },
      path && svg("path", { class: "land", d: path }),
      places.map((place, i) => svg("circle", {
        key: i, class: "place", cx: ((place.lon + 180) / 360) * WIDTH, cy: ((90 - place.lat) / 180) * HEIGHT, r: 3 + Math.sqrt(Math.max(0, place.value) / most) * (RADIUS_MAX - 3),
      }, svg("title", null, text(place))))),
    h("ul.places", null, [...places].sort((a, b) => b.value - a.value).slice(0, LISTED).map((place, i) => h("li", { key: i },
      h("span.dim", null, `${place.lat.toFixed(1)}, ${place.lon.toFixed(1)}`), " ", h("b", null, grouped(place.value)),
      columns.map((name, k) => (k !== lat && k !== lon && k !== size && name !== "geobin" && numberOf(place.row[k]) === null ? [" ", h("bdi", { key: k }, visible(valueText(place.row[k])))] : null))))));
}
