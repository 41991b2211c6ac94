package sandboxtest

func Helper(args []string) int { return 0 }
