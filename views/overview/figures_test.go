package overview_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"lobstead/views/overview"
)

func TestDollarsKeepWhatMatters(t *testing.T) {
	for nanos, text := range map[int64]string{
		0: "$0.00", 4_370_000_000: "$4.37", 1_234_567_890_000_000: "$1,234,567.89", 61_100_000: "$0.0611", 999_990_000: "$1.0000",
		1_000_000: "$0.0010", 123_456: "$0.000123", 1: "<$0.000001", 1_999_999_999: "$2.00", -61_100_000: "-$0.0611",
	} {
		require.Equal(t, text, overview.Dollars(nanos), nanos)
	}
}
