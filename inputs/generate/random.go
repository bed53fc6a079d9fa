package generate

import (
	"encoding/hex"
	"math/rand/v2"
	"strconv"
)

// random appends the random data of one record as a JSON object. It depends on
// seed and offset alone, so that a record can be made again.
type random struct {
	pcg  *rand.PCG
	r    *rand.Rand
	uuid [16]byte
}

func newRandom() *random {
	pcg := rand.NewPCG(0, 0)
	return &random{pcg: pcg, r: rand.New(pcg)}
}

func (g *random) append(dst []byte, seed, offset int64) []byte {
	// The state of a generator seeded with neighbours is alike at first.
	g.pcg.Seed(mix(uint64(seed)), mix(uint64(offset)^mix(uint64(seed))))
	r := g.r
	dst = append(dst, `{"int":`...)
	dst = strconv.AppendInt(dst, r.Int64N(1_000_000_000), 10)
	dst = append(dst, `,"float":`...)
	dst = strconv.AppendFloat(dst, r.Float64(), 'f', -1, 64)
	dst = append(dst, `,"bool":`...)
	dst = strconv.AppendBool(dst, r.Uint64()&1 == 0)
	dst = append(dst, `,"uuid":"`...)
	dst = g.appendUUID(dst)
	dst = append(dst, `","word":"`...)
	dst = append(dst, pick(r, words)...)
	first, last := pick(r, firstNames), pick(r, lastNames)
	dst = append(dst, `","name":"`...)
	dst = append(append(append(dst, first...), ' '), last...)
	dst = append(dst, `","email":"`...)
	dst = append(append(append(dst, first...), '.'), last...)
	lower(dst[len(dst)-len(first)-len(last)-1:])
	dst = strconv.AppendInt(dst, r.Int64N(10_000), 10)
	dst = append(dst, pick(r, domains)...)
	dst = append(dst, `","country":"`...)
	dst = append(dst, pick(r, countries)...)
	dst = append(dst, `","ip":"`...)
	dst = append(dst, pick(r, networks)...)
	dst = strconv.AppendInt(dst, 1+r.Int64N(254), 10)
	return append(dst, `"}`...)
}

func (g *random) appendUUID(dst []byte) []byte {
	hi, lo := g.r.Uint64(), g.r.Uint64()
	for i := range 8 {
		g.uuid[i], g.uuid[8+i] = byte(hi>>(8*i)), byte(lo>>(8*i))
	}
	g.uuid[6] = g.uuid[6]&0x0f | 0x40 // version 4
	g.uuid[8] = g.uuid[8]&0x3f | 0x80 // variant of RFC 9562
	for i, n := range []int{4, 2, 2, 2, 6} {
		if i > 0 {
			dst = append(dst, '-')
		}
		at := [5]int{0, 4, 6, 8, 10}[i]
		dst = hex.AppendEncode(dst, g.uuid[at:at+n])
	}
	return dst
}

// mix spreads the bits of x (the finaliser of SplitMix64).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

func pick(r *rand.Rand, list []string) string { return list[r.IntN(len(list))] }

func lower(p []byte) {
	for i, c := range p {
		if c >= 'A' && c <= 'Z' {
			p[i] = c + 'a' - 'A'
		}
	}
}

// Plain ASCII without characters that JSON would escape.
var (
	words = []string{
		"amber", "anchor", "apple", "arrow", "autumn", "basket", "beacon", "birch", "bridge", "butter",
		"candle", "canyon", "cedar", "cherry", "circle", "clover", "copper", "coral", "cotton", "crane",
		"delta", "desert", "ember", "falcon", "feather", "fern", "field", "flint", "forest", "garden",
		"ginger", "glacier", "granite", "harbor", "hazel", "heron", "honey", "island", "ivory", "jasper",
		"kettle", "lantern", "laurel", "lemon", "linen", "maple", "marble", "meadow", "mirror", "mountain",
		"nectar", "oak", "ocean", "olive", "orchard", "otter", "paper", "pebble", "pepper", "pine",
		"planet", "poppy", "prairie", "quartz", "rain", "raven", "reef", "river", "saffron", "sail",
		"silver", "slate", "sparrow", "spruce", "stone", "summer", "thistle", "timber", "tulip", "valley",
		"velvet", "violet", "walnut", "water", "willow", "winter", "wool", "zephyr",
	}
	firstNames = []string{
		"Ada", "Alan", "Amina", "Anna", "Ben", "Carla", "Chen", "Clara", "David", "Elena",
		"Emma", "Farid", "Fatima", "Felix", "Grace", "Hana", "Hugo", "Ines", "Ivan", "Jan",
		"Jonas", "Julia", "Kofi", "Lara", "Leo", "Lena", "Luca", "Maria", "Mei", "Mila",
		"Nadia", "Noah", "Nora", "Omar", "Oscar", "Paula", "Pedro", "Priya", "Ravi", "Rosa",
		"Samir", "Sara", "Sofia", "Tara", "Theo", "Tom", "Vera", "Viktor", "Yuki", "Zoe",
	}
	lastNames = []string{
		"Abe", "Ahmed", "Andersson", "Bauer", "Becker", "Brown", "Carter", "Costa", "Diaz", "Dubois",
		"Evans", "Fischer", "Garcia", "Gupta", "Haddad", "Hansen", "Hughes", "Ito", "Jansen", "Jones",
		"Kaya", "Keller", "Khan", "Kim", "Kowalski", "Larsen", "Lee", "Lopez", "Martin", "Mensah",
		"Meyer", "Moreau", "Nguyen", "Novak", "Okafor", "Patel", "Petrov", "Rossi", "Santos", "Sato",
		"Schmidt", "Silva", "Singh", "Smith", "Suzuki", "Tanaka", "Walker", "Wang", "Weber", "Wood",
	}
	domains   = []string{"@example.com", "@example.org"}
	countries = []string{
		"AR", "AT", "AU", "BE", "BR", "CA", "CH", "CL", "CN", "CZ", "DE", "DK", "EG", "ES", "FI", "FR", "GB",
		"GR", "IE", "IN", "IT", "JP", "KE", "KR", "MX", "NG", "NL", "NO", "NZ", "PL", "PT", "RO", "SE", "TR", "US", "ZA",
	}
	networks = []string{"192.0.2.", "198.51.100.", "203.0.113."}
)
