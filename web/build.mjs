// Bundles the console into dist/: index.html, app.js, app.css, favicon.svg. The server embeds these four files.
import { build } from "esbuild";
import { copyFileSync, mkdirSync, readFileSync, statSync } from "node:fs";
import { gzipSync } from "node:zlib";

mkdirSync("dist", { recursive: true });
await build({
  entryPoints: [
    { in: "main.ts", out: "app" },
    { in: "style/app.css", out: "app" },
  ],
  outdir: "dist",
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  legalComments: "none",
  banner: { js: "/* Hinomi, Apache-2.0. Parts by others: see web/THIRD-PARTY.txt. */" },
  charset: "utf8",
  logLevel: "warning",
});
for (const file of ["index.html", "favicon.svg"]) copyFileSync(file, `dist/${file}`);
for (const file of ["app.js", "app.css", "index.html", "favicon.svg"]) {
  const bytes = statSync(`dist/${file}`).size;
  console.log(`${file.padEnd(12)} ${bytes} bytes, ${gzipSync(readFileSync(`dist/${file}`)).length} gzipped`);
}
