package record

type (
	trie struct{}
	doc  struct{}
)
