package rules

// Ids of syntax.
const (
	UnreadableFile ID = "FL1001"
	NotUTF8        ID = "FL1002"
	TooLarge       ID = "FL1003"
	WrongSyntax    ID = "FL1004"
	MissingEquals  ID = "FL1005"
	UnclosedBlock  ID = "FL1006"
	UnclosedText   ID = "FL1007"
	SingleQuotes   ID = "FL1008"
	WrongEscape    ID = "FL1009"
	CrowdedLine    ID = "FL1010"
	MisplacedBlock ID = "FL1011"
	WrongLabels    ID = "FL1012"
	BadName        ID = "FL1013"
	DeclaredTwice  ID = "FL1014"
	NoPipeline     ID = "FL1015"
	UnknownBlock   ID = "FL1016"
)

// Ids of options.
const (
	UnknownOption    ID = "FL1101"
	MisplacedOption  ID = "FL1102"
	BlockOrOption    ID = "FL1103"
	GivenTwice       ID = "FL1104"
	MissingOption    ID = "FL1105"
	NullOption       ID = "FL1106"
	WrongType        ID = "FL1107"
	WrongDuration    ID = "FL1108"
	WrongSize        ID = "FL1109"
	OutOfBounds      ID = "FL1110"
	NotAllowed       ID = "FL1111"
	WrongPattern     ID = "FL1112"
	WrongPath        ID = "FL1113"
	NotWrittenOut    ID = "FL1114"
	UnknownComponent ID = "FL1115"
	ComponentRule    ID = "FL1116"
	OptionNoField    ID = "FL1117"
	OptionMisfit     ID = "FL1118"
	OutputMisfit     ID = "FL1119"
)

// Ids of names.
const (
	UnknownVariable       ID = "FL1201"
	UnknownLocal          ID = "FL1202"
	UnknownName           ID = "FL1203"
	MisplacedReference    ID = "FL1204"
	UnknownConnection     ID = "FL1205"
	WrongConnection       ID = "FL1206"
	NotConstant           ID = "FL1207"
	Circle                ID = "FL1208"
	NoValue               ID = "FL1209"
	WrongValue            ID = "FL1210"
	RefusedValue          ID = "FL1211"
	WrongVariable         ID = "FL1212"
	UnusedValue           ID = "FL1213"
	WrongVarFlag          ID = "FL1214"
	BlocksInVarFile       ID = "FL1215"
	WrongParameter        ID = "FL1216"
	ReservedFunction      ID = "FL1217"
	UnknownConfigFunction ID = "FL1218"
	WrongCall             ID = "FL1219"
	NoResult              ID = "FL1220"
	UnknownSchema         ID = "FL1221"
	WrongSchema           ID = "FL1222"
)

// Ids of wiring.
const (
	WrongFrom              ID = "FL1301"
	UnknownElement         ID = "FL1302"
	UnknownPort            ID = "FL1303"
	AmbiguousReference     ID = "FL1304"
	OutputRead             ID = "FL1305"
	ElementCircle          ID = "FL1306"
	ReadTwice              ID = "FL1307"
	Unread                 ID = "FL1308"
	OutputBeforeProcessors ID = "FL1309"
	IncompletePipeline     ID = "FL1310"
	SecondInput            ID = "FL1311"
	UnknownPipeline        ID = "FL1312"
	PipelineCircle         ID = "FL1313"
	WaitsForEndless        ID = "FL1314"
)

// Ids of expressions.
const (
	ExprSyntax          ID = "FL1401"
	ExprEmpty           ID = "FL1402"
	ExprTooLarge        ID = "FL1403"
	ExprUnknownName     ID = "FL1404"
	ExprUnknownFunction ID = "FL1405"
	ExprWrongArguments  ID = "FL1406"
	ExprTypes           ID = "FL1407"
	ExprNotBool         ID = "FL1408"
	ExprFails           ID = "FL1409"
	ExprNoMember        ID = "FL1410"
	ExprNameTaken       ID = "FL1411"
	ExprPattern         ID = "FL1412"
	ExprNoRecord        ID = "FL1413"
	TemplateHole        ID = "FL1414"
	Interpolation       ID = "FL1415"
	UnquotedExpression  ID = "FL1416"
	HoleOutside         ID = "FL1417"
	UnknownField        ID = "FL1418"
)

// Ids of compiled.
const (
	NoExactlyOnce        ID = "FL2001"
	NoCheckpoint         ID = "FL2002"
	DestinationByContent ID = "FL2201"
	SensitiveValue       ID = "FL2202"
	PlainTextSecret      ID = "FL2203"
	ReadsWhatItWrites    ID = "FL2301"
)

// Ids of ignores.
const (
	IgnoreWithoutReason ID = "FL2901"
	UselessIgnore       ID = "FL2902"
	UnknownIgnored      ID = "FL2903"
	ErrorIgnored        ID = "FL2904"
)
