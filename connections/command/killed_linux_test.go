package command

func killedWithParent() bool { return true }
