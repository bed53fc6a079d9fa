package dsl

func (l *loader) checkDestinations(p *pipeline) {}
