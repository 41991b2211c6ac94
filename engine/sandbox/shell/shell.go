package shell
func Main(args []string) int { return 0 }
