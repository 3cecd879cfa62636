package main

type LevelType struct{}

func (LevelType) Match(name string) bool {
	return name == "level"
}

func (LevelType) Check(value interface{}) bool {
	number, ok := value.(float64)
	return ok && number >= 1 && number <= 3
}
