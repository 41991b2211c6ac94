// Package ui owns the pieces that every page is made of: buttons, fields, badges, tables' cells, dialogs, states. It
// knows no model and no route; everything comes in as plain values. Classes are those of static/css.
//
// What stands in a table row must be cheap, so it is a Go value with a Render method that writes straight into the
// page's buffer and allocates nothing: Icon, Badge, Bar, Time, Spark. The rest is templ. For a row, write flat
// markup in one loop: literal class="…" (a class={ … } expression costs four allocations), no component with children,
// strings that are ready, and these values for the rest. 50 rows so written: see BenchmarkRows in ui/gallery.
package ui
