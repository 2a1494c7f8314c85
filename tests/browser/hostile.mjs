// Payloads that try to become markup, script or deceptive text. Each would set window.pwned if it ran.
export const marker = "hostile" + Date.now().toString(36);

const js = "window.pwned=1";
const forms = [
  `<script>${js}</script>`, `"><script>${js}</script>`, `'><script>${js}</script>`, `</script><script>${js}</script>`,
  `<img src=x onerror=${js}>`, `"><img src=x onerror="${js}">`, `<svg onload=${js}>`, `<svg><script>${js}</script></svg>`,
  `<svg><animate onbegin=${js} attributeName=x dur=1s>`, `<iframe srcdoc="<script>parent.${js}</script>"></iframe>`, `<iframe src="javascript:parent.${js}">`,
  `<body onload=${js}>`, `<details open ontoggle=${js}>`, `<video><source onerror=${js}>`, `<audio src=x onerror=${js}>`, `<input autofocus onfocus=${js}>`,
  `<select autofocus onfocus=${js}>`, `<marquee onstart=${js}>`, `<object data="javascript:${js}">`, `<embed src="javascript:${js}">`, `<a href="javascript:${js}">x</a>`,
  `<form action="javascript:${js}"><button>x</button></form>`, `<math><a xlink:href="javascript:${js}">x</a></math>`, `<link rel=stylesheet href=//evil.example/x.css>`,
  `<style>@import '//evil.example/x.css';</style>`, `<meta http-equiv=refresh content="0;url=//evil.example/">`, `<base href=//evil.example/>`,
  `<template><script>${js}</script></template>`, `<noscript><p title="</noscript><img src=x onerror=${js}>">`, `<div style="background:url(//evil.example/x)">x</div>`,
  `javascript:${js}`, `data:text/html,<script>${js}</script>`, `{{constructor.constructor('${js}')()}}`, "${" + js + "}", `<%= ${js} %>`, `#{${js}}`,
  `\\u003cscript\\u003e${js}\\u003c/script\\u003e`, `&lt;script&gt;${js}&lt;/script&gt;`, `%3Cscript%3E${js}%3C/script%3E`, `]]><script>${js}</script>`, `--><script>${js}</script>`,
  `\u0000<script>${js}</script>`, `<scr\u0000ipt>${js}</scr\u0000ipt>`, `\u001b]8;;http://evil.example\u0007click\u001b]8;;\u0007`, `\u001b[2J\u001b[31mred`,
  "abc\u202Egpj.exe", "\u2066x\u2069\u202D\u202Bmirror", "zero\u200Bwidth\u200D\uFEFF", "p\u0430ypal.com", "=cmd|'/c calc'!A1", "+1+1", "@SUM(1)", "\t=1", "__proto__", "constructor", "toString",
  "http://evil.example/click", "<IMG SRC=JaVaScRiPt:window.pwned=1>", "＜script＞window.pwned=1＜/script＞", "x".repeat(20_000), "漢".repeat(3000), "\ud83d\ude00 emoji 絵文字", "e\u0301\u0301\u0301\u0301\u0301",
];

// Every form in several frames, so that quoting in any attribute, title or cell would be met: more than 500 in all.
const frames = [(x) => x, (x) => `"${x}`, (x) => `'${x}'`, (x) => `">${x}`, (x) => `user=${x} ip=1.2.3.4`, (x) => `<b>${x}</b>`, (x) => `${x}\r\n${x}`, (x) => `</td></tr>${x}`, (x) => `\`${x}\``];
export const hostile = forms.flatMap((form) => frames.map((frame) => frame(form)));
