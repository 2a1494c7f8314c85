/* The coasts of the world as one path: TopoJSON (github.com/topojson/topojson-specification) of Natural Earth, unpacked. */
import topology from "world-atlas/land-110m.json";

interface Topology { arcs: [number, number][][]; transform: { scale: [number, number]; translate: [number, number] }; objects: { land: { geometries: { arcs: number[][][] }[] } } }

export function landPath(width: number, height: number): string {
  const { arcs, transform: { scale, translate }, objects } = topology as unknown as Topology;
  const points = arcs.map((arc) => { // each point is told by how far it is from the one before
    let x = 0, y = 0;
    return arc.map(([dx, dy]): [number, number] => {
      x += dx;
      y += dy;
      return [((x * scale[0] + translate[0] + 180) / 360) * width, ((90 - (y * scale[1] + translate[1])) / 180) * height];
    });
  });
  // Coasts that go on at the other edge of the map begin there anew.
  const ring = (numbers: number[]) => numbers.flatMap((n) => (n < 0 ? [...points[~n]!].reverse() : points[n]!))
    .map(([x, y], i, all) => `${i === 0 || Math.abs(x - all[i - 1]![0]) > width / 2 ? "M" : "L"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");
  return objects.land.geometries.flatMap((one) => one.arcs).flatMap((polygon) => polygon.map(ring)).join("");
}
