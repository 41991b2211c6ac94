// Package ui owns the pieces that every page is made of: buttons, fields, badges, tables' cells, dialogs, states. It
// knows no model and no route; everything comes in as plain values. Classes are those of static/css.
//
// What stands in a table row must be cheap, so it is a Go value with a Render method that writes straight into the
// page's buffer and allocates nothing: Text, RowLink, Icon, Badge, Bar, Time, Spark. The rest is templ. Write a row flat
// in one loop: literal class="…" (a class={ … } expression costs four allocations), @ui.Text(s) instead of { s } (two),
// @ui.RowLink{…} instead of <a href={ … }> (two), no component with children, strings that are ready. 50 rows of six
// columns so written allocate a handful of times: see table and BenchmarkRows in ui/gallery.
package ui
