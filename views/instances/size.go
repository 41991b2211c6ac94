package instances

import (
	"strconv"

	"lobstead/models"
	"lobstead/views/ui"
)

// megabytes says a tier's size in its natural unit; the sizes that exist are ready.
func megabytes(mb int) string {
	switch mb {
	case 512:
		return "512 MB"
	case 1024:
		return "1 GB"
	case 2048:
		return "2 GB"
	case 8192:
		return "8 GB"
	case 10240:
		return "10 GB"
	case 102400:
		return "100 GB"
	}
	return amount(float64(mb))
}

// amount says a reading in megabytes: "0.4 MB", "112 MB", "1.3 GB".
func amount(mb float64) string {
	switch {
	case mb < 0:
		return "0 MB"
	case mb < 9.95:
		return trim(strconv.FormatFloat(mb, 'f', 1, 64)) + " MB"
	case mb < 1023.5:
		return strconv.FormatFloat(mb, 'f', 0, 64) + " MB"
	case mb < 10239:
		return trim(strconv.FormatFloat(mb/1024, 'f', 1, 64)) + " GB"
	}
	return strconv.FormatFloat(mb/1024, 'f', 0, 64) + " GB"
}

func trim(s string) string {
	if n := len(s) - 2; n > 0 && s[n:] == ".0" {
		return s[:n]
	}
	return s
}

// percent says a share of one processor.
func percent(p float64) string {
	if p > 0 && p < 9.95 {
		return trim(strconv.FormatFloat(p, 'f', 1, 64)) + " %"
	}
	return strconv.FormatFloat(p, 'f', 0, 64) + " %"
}

func processors(n float64) string {
	if n == 1 {
		return "1 CPU"
	}
	return strconv.FormatFloat(n, 'f', -1, 64) + " CPUs"
}

// tierOptions are the cards of a form.
func tierOptions(plans []models.Plan) []ui.Option {
	out := make([]ui.Option, 0, len(plans))
	for _, s := range plans {
		out = append(out, ui.Option{Value: string(s.Tier), Text: string(s.Tier), Note: megabytes(s.MemoryMB) + " memory, " +
			megabytes(s.StorageMB) + " storage, " + processors(s.CPUs) + ", " + strconv.Itoa(s.Processes) + " processes"})
	}
	return out
}
