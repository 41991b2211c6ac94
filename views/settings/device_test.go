package settings_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"lobstead/views/settings"
)

func TestDevicesInWords(t *testing.T) {
	const kit = " AppleWebKit/537.36 (KHTML, like Gecko) "
	for agent, words := range map[string]string{
		"Mozilla/5.0 (X11; Linux x86_64)" + kit + "Chromium/139.0.0.0 Safari/537.36":                              "Chromium on Linux",
		"Mozilla/5.0 (X11; Linux x86_64)" + kit + "HeadlessChrome/139.0.0.0 Safari/537.36":                        "Chromium on Linux",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64)" + kit + "Chrome/139.0.0.0 Safari/537.36 Edg/139.0.0.0":        "Edge on Windows",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)" + kit + "Version/19.0 Safari/605.1.15":                  "Safari on macOS",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X)" + kit + "CriOS/139.0 Mobile/15E148 Safari/604.1": "Chrome on iPhone",
		"Mozilla/5.0 (Linux; Android 16)" + kit + "SamsungBrowser/29.0 Chrome/130.0.0.0 Mobile Safari/537.36":     "Samsung Internet on Android",
		"Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0":                          "Firefox on Linux",
		"Mozilla/5.0 (X11; CrOS x86_64 16181.61.0)" + kit + "Chrome/139.0.0.0 Safari/537.36":                      "Chrome on ChromeOS",
		"Mozilla/5.0 (X11; Linux x86_64)": "Unknown browser on Linux",
		"curl/8.14.1":                     "curl",
		"<script>/1":                      "Unknown browser",
		"":                                "Unknown browser",
	} {
		require.Equal(t, words, settings.Device(agent), agent)
	}
}
