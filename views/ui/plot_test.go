package ui_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"lobstead/views/ui"
)

func drawn(t *testing.T, p ui.Plot) string {
	t.Helper()
	p.Figure = func(v float64) string { return fmt.Sprintf("%g", v) }
	var b bytes.Buffer
	require.NoError(t, p.Render(t.Context(), &b))
	for d := xml.NewDecoder(strings.NewReader(b.String())); ; { // no tag is left open
		if _, err := d.Token(); err != nil {
			require.True(t, errors.Is(err, io.EOF), "%v in %s", err, b.String())
			break
		}
	}
	return b.String()
}

func TestPlotStacksFromZero(t *testing.T) {
	t.Parallel()
	text := drawn(t, ui.Plot{Label: "<calls>", Steps: []string{"Mon", "Tue", "Wed"}, Series: []ui.PlotSeries{{Name: "a & b", Values: []float64{1, 0, -2}}, {Name: "c", Values: []float64{3, 0, 0.001}}}})
	require.Contains(t, text, `<rect class="plot-c0" width="8" x="1" y="75.00" height="25.00"/><rect class="plot-c1" width="8" x="1" y="0.00" height="75.00"/>`, "4 is the top of 4")
	require.Contains(t, text, `<title>Mon: a &amp; b 1, c 3</title>`)
	require.Contains(t, text, `<title>Tue: nothing</title>`)
	require.Contains(t, text, `aria-label="&lt;calls&gt;"`)
	require.Contains(t, text, `<rect class="plot-c1" width="8" x="21" y="99.50" height="0.50"/>`, "a little shows")
	require.Equal(t, 3, strings.Count(text, `class="plot-c`)-2, "what is nothing or below it is not drawn")
	require.Contains(t, text, `<span>4</span><span>2</span><span>0</span>`)
}

func TestPlotLinesHaveGaps(t *testing.T) {
	t.Parallel()
	gap := math.NaN()
	text := drawn(t, ui.Plot{Lines: true, Steps: []string{"1", "2", "3", "4"}, Series: []ui.PlotSeries{{Name: "p50", Values: []float64{10, 5, gap, 10}}}})
	require.Contains(t, text, `d="M5.0 0.00L15.0 50.00M35.0 0.00m-3 0h6"`)
	require.Contains(t, text, `<title>3: nothing</title>`)
	require.NotContains(t, drawn(t, ui.Plot{Lines: true, Steps: []string{"1", "2"}, Series: []ui.PlotSeries{{Name: "p50", Values: []float64{0, 0}}}}), "NaN")
	require.NotContains(t, drawn(t, ui.Plot{Steps: []string{"1"}, Series: []ui.PlotSeries{{Name: "a", Values: []float64{0}}}}), "NaN")
	require.Contains(t, drawn(t, ui.Plot{}), `viewBox="0 0 10 100"`, "without steps")
}
