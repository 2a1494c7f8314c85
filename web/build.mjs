// Bundles the console into dist/, which the server embeds: index.html, app.js with what the first screen needs, app.css, favicon.svg, and
// part-*.js, which are fetched when a page or panel first needs them.
import { build } from "esbuild";
import { copyFileSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync } from "node:fs";
import { gzipSync } from "node:zlib";

rmSync("dist", { recursive: true, force: true });
mkdirSync("dist", { recursive: true });
await build({
  entryPoints: [
    { in: "main.ts", out: "app" },
    { in: "style/app.css", out: "app" },
  ],
  outdir: "dist",
  bundle: true,
  splitting: true,
  chunkNames: "part-[name]-[hash]",
  minify: true,
  format: "esm",
  target: "es2022",
  legalComments: "none",
  banner: { js: "/* Hinomi, Apache-2.0. Parts by others: see web/THIRD-PARTY.txt. */" },
  charset: "utf8",
  logLevel: "warning",
});
for (const file of ["index.html", "favicon.svg"]) copyFileSync(file, `dist/${file}`);
for (const file of readdirSync("dist").sort()) {
  const bytes = statSync(`dist/${file}`).size;
  console.log(`${file.padEnd(32)} ${bytes} bytes, ${gzipSync(readFileSync(`dist/${file}`)).length} gzipped`);
}
