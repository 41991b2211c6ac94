package browsertest

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// patched puts an element on the page, does something to it and patches it.
const patched = `(was, now, before, after) => {
	document.getElementById("mould")?.remove();
	document.body.insertAdjacentHTML("beforeend", was);
	if (before) before();
	lobstead.live.apply(now);
	return String(after ? after() : document.getElementById("mould").outerHTML);
}`

// A patch leaves nothing of the old element's state behind that the new one does not have, and takes nothing from a person.
func TestPatchesInPlace(t *testing.T) {
	t.Parallel()
	s := start(t)
	b := owner(t, s)
	b.open("/automations")
	for name, c := range map[string][3]string{
		"attributes that went":  {`<form id="mould"><button disabled aria-expanded="true" hidden class="a">x</button></form>`, `<form id="mould"><button>x</button></form>`},
		"attributes that came":  {`<form id="mould"><button>x</button></form>`, `<form id="mould"><button disabled="" aria-expanded="true" hidden="" class="a">x</button></form>`},
		"a choice":              {`<div id="mould"><select><option selected="">a</option><option>b</option></select></div>`, `<div id="mould"><select><option>a</option><option selected="">b</option></select></div>`},
		"cards that close":      {`<div id="mould"><details open=""><summary>s</summary></details></div>`, `<div id="mould"><details><summary>s</summary></details></div>`},
		"another kind of thing": {`<div id="mould"><p>a</p>b<span id="x">c</span></div>`, `<div id="mould"><ul id="x"><li>c</li></ul><p>a</p></div>`},
		"an id that is twice":   {`<div id="mould"><p id="x">a</p></div>`, `<div id="mould"><i>1</i><p id="x">a</p><b>2</b></div>`},
	} {
		assert.Equal(t, c[1], b.text("("+patched+")(`"+c[0]+"`, `"+c[1]+"`)"), name)
	}
	const was, now = "`<div id=\"mould\"><p id=\"a\">a</p><p id=\"b\"><input id=\"in\" value=\"v\"><input id=\"box\" type=\"checkbox\"></p></div>`", "`<div id=\"mould\"><p id=\"b\"><input id=\"in\" value=\"w\" class=\"new\"><input id=\"box\" type=\"checkbox\"></p><p id=\"a\">c</p></div>`"
	assert.Equal(t, "w", b.text("("+patched+")("+was+","+now+", null, () => document.getElementById('in').value)"), "nobody typed")
	assert.Equal(t, "in typed 1-3 true b,a", b.text("("+patched+")("+was+","+now+`, () => {
		const f = document.getElementById("in");
		document.getElementById("box").click();
		f.focus();
		f.value = "typed";
		f.setSelectionRange(1, 3);
	}, () => {
		const f = document.getElementById("in");
		return document.activeElement.id + " " + f.value + " " + f.selectionStart + "-" + f.selectionEnd + " " + document.getElementById("box").checked + " " + [...document.getElementById("mould").children].map((c) => c.id);
	})`), "what a person does outlives a move")
}
