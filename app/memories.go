package app
type Memories struct{ *App }
