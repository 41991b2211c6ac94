package main

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
)

// picture is something to look at: a gradient.
func picture() []byte {
	m := image.NewRGBA(image.Rect(0, 0, 320, 200))
	for y := range 200 {
		for x := range 320 {
			m.Set(x, y, color.RGBA{uint8(x * 255 / 320), uint8(80 + y/2), 160, 255})
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		panic(err)
	}
	return b.Bytes()
}
