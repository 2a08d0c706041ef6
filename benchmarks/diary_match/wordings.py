"""What a municipality's cases are about, as a registrar writes it and as those who write to it do.

Written from how diaries and letters read, before anything was measured. Shares no code with the
matcher. Places in braces are filled per case.
"""

# (board, as the registrar titles the case, as people call it in a subject line)
TOPICS = (
    ("SBN", ("Bygglov för nybyggnad av enbostadshus på {estate}", "Ansökan om bygglov, enbostadshus, {estate}"),
     ("bygglov {estate}", "vill bygga hus", "Ritningar till villan {estate}", "nybyggnation {estate}", "Husbygget på {street}", "bygglovsansökan villa")),
    ("SBN", ("Bygglov för tillbyggnad av fritidshus, {estate}", "Tillbyggnad av fritidshus på fastigheten {estate}"),
     ("utbyggnad av stugan", "Tillbyggnad sommarstuga {estate}", "stugan på {street}", "bygga ut fritidshuset")),
    ("SBN", ("Anmälan om attefallshus, {estate}", "Anmälan komplementbyggnad {estate}"),
     ("attefallare", "Attefallshus på tomten {estate}", "gäststuga {street}", "Anmäla attefallshus")),
    ("SBN", ("Strandskyddsdispens för brygga vid {estate}", "Dispens från strandskydd, brygga, {estate}"),
     ("brygga", "Får vi bygga brygga vid {place}?", "strandskydd {estate}", "ansökan dispens bryggan")),
    ("SBN", ("Detaljplan för {place}", "Detaljplan för del av {place}, samråd"),
     ("planförslaget {place}", "Synpunkter på planen i {place}", "Detaljplanen {place}", "bygg inte på ängen i {place}")),
    ("SBN", ("Rivningslov för ekonomibyggnad, {estate}",), ("riva ladan", "rivning {estate}", "Rivningslov lada {street}")),
    ("SBN", ("Tillsyn av ovårdad tomt, {estate}", "Anmälan om ovårdad fastighet {estate}"),
     ("grannens tomt ser ut som en soptipp", "Ovårdad tomt {street}", "skräpigt på {street}", "anmälan skrotbilar")),
    ("SBN", ("Trafiksituationen på {street}", "Medborgarförslag om hastighetssänkning på {street}"),
     ("Kör för fort på {street}!", "farthinder {street}", "hastighet utanför skolan", "Trafik {street} - farligt för barnen")),
    ("SBN", ("Belysning längs gång- och cykelväg vid {place}",), ("trasig gatlampa {street}", "mörkt på cykelvägen", "gatubelysning {place}")),
    ("SBN", ("Snöröjning och halkbekämpning {street}",), ("ni plogar aldrig {street}", "Snöröjning", "plogning {place}", "isgata")),
    ("SBN", ("Begäran om nybyggnadskarta, {estate}",), ("nybyggnadskarta", "Beställning karta {estate}", "karta till byggansökan")),
    ("MBN", ("Tillstånd för enskilt avlopp, {estate}", "Ansökan om enskild avloppsanläggning {estate}"),
     ("avlopp {estate}", "nytt avlopp till huset", "Trekammarbrunn", "Ansökan om avloppstillstånd {street}")),
    ("MBN", ("Installation av bergvärmepump, {estate}", "Anmälan om värmepump, {estate}"),
     ("bergvärme", "Borrning för bergvärme {estate}", "värmepump {street}", "anmälan energibrunn")),
    ("MBN", ("Klagomål på buller från {company}", "Bullerstörningar från {company}"),
     ("oljud från {company}", "Störande ljud på nätterna", "buller", "det låter hela natten från {company}")),
    ("MBN", ("Livsmedelskontroll av {company}", "Registrering av livsmedelsanläggning, {company}"),
     ("registrering livsmedel", "Inspektionen hos oss", "Livsmedelsregistrering {company}", "öppnar café")),
    ("MBN", ("Miljötillsyn av {company}", "Årlig miljörapport för {company}"),
     ("miljörapport", "Miljörapporten från {company}", "rapport utsläpp")),
    ("MBN", ("Eldning med vedpanna, {estate}", "Klagomål på vedeldning {street}"),
     ("grannen eldar", "rök in i huset", "vedeldning {street}", "stinker rök varje kväll")),
    ("MBN", ("Serveringstillstånd för {company}", "Ansökan om stadigvarande serveringstillstånd, {company}"),
     ("alkoholtillstånd", "Serveringstillstånd {company}", "Tillstånd att servera vin och öl", "utskänkning")),
    ("BUN", ("Skolplacering vid {school}", "Ansökan om skolbyte till {school}"),
     ("byta skola", "Plats på {school}", "skolval", "mitt barn vill gå på {school}", "Skolbyte till {school}")),
    ("BUN", ("Skolskjuts, elev vid {school}", "Ansökan om skolskjuts till {school}"),
     ("skolskjuts", "skolbussen", "Skjuts till {school}", "bussen kommer inte", "taxi till skolan")),
    ("BUN", ("Kränkande behandling vid {school}", "Anmälan om kränkande behandling, {school}"),
     ("mobbning", "Mobbing på {school}", "min dotter blir utsatt", "anmälan kränkning", "det som hände på {school}")),
    ("BUN", ("Förskoleplats i {place}", "Placering i förskola, {place}"),
     ("dagisplats", "kö till förskola", "Förskola i {place}", "förskoleplats", "när får vi plats?")),
    ("BUN", ("Modersmålsundervisning vid {school}",), ("modersmål", "hemspråk {school}", "Modersmålslärare i arabiska")),
    ("BUN", ("Skolmaten vid {school}", "Synpunkt på måltider vid {school}"), ("skolmat", "maten på {school}", "vegetarisk mat i skolan")),
    ("BUN", ("Bidrag till fristående förskola {company}", "Godkännande av huvudman, {company}"),
     ("ersättning per barn", "Bidragsbeslut {company}", "Grundbelopp")),
    ("SN", ("Stöd till anhöriga", "Anhörigstöd i {place}"), ("anhörigstöd", "Hjälp för min mamma", "avlastning")),
    ("SN", ("Avtal om personlig assistans, {company}", "Ersättning till assistansanordnare {company}"),
     ("assistansersättning", "Avtalet om assistans", "Assistans {company}")),
    ("SN", ("Synpunkt på hemtjänsten i {place}", "Klagomål avseende hemtjänst, {place}"),
     ("hemtjänsten", "pappa får inte sin mat i tid", "Hemtjänst {place}", "missnöjd med hemtjänst")),
    ("SN", ("Tillsyn av {company}, vård- och omsorgsboende", "Lex Sarah, {company}"),
     ("tillsyn äldreboende", "Äldreboendet", "Lex Sarah-rapport", "boendet {company}")),
    ("SN", ("Färdtjänst i {place}, synpunkter på utförare",), ("färdtjänst", "taxin kom aldrig", "färdtjänsten {place}")),
    ("KFN", ("Föreningsbidrag till {club}", "Ansökan om verksamhetsbidrag, {club}"),
     ("föreningsbidrag", "Bidrag {club}", "ansökan bidrag 2026", "bidragsansökan {club}", "stöd till vår förening")),
    ("KFN", ("Uthyrning av {hall}", "Ansökan om tider i {hall}"),
     ("halltider", "boka {hall}", "träningstider", "Tider i {hall} för {club}")),
    ("KFN", ("Kulturarrangemang vid {place}", "Stöd till kulturarrangemang, {club}"),
     ("konsert i {place}", "Kulturstöd", "spelning", "arrangemangsstöd {club}")),
    ("KFN", ("Namngivning av park i {place}", "Konstnärlig gestaltning i {place}"), ("namn på parken", "skulptur", "Konst i {place}")),
    ("KS", ("Motion om {matter}", "Motion från {party} om {matter}"), ("motion", "Motion {matter}", "vår motion om {matter}")),
    ("KS", ("Medborgarförslag om {matter}",), ("förslag", "Medborgarförslag", "idé: {matter}", "{matter} i kommunen")),
    ("KS", ("Remiss om {remit}", "Remiss – {remit}"), ("Remiss {remit}", "Remissvar", "yttrande {remit}", "remiss")),
    ("KS", ("Upphandling av {goods}", "Upphandling {goods} 2026"),
     ("anbud", "Anbud {goods}", "Fråga om upphandlingen av {goods}", "upphandling {goods}")),
    ("KS", ("Markanvisning i {place}", "Försäljning av mark, {estate}"),
     ("köpa tomt", "Tomter i {place}", "markanvisning", "Intresseanmälan mark {place}")),
    ("KS", ("Arrende av mark, {estate}", "Arrendeavtal {estate}"), ("arrende", "Arrendet {estate}", "jordbruksarrende", "uppsägning arrende")),
    ("KS", ("Begäran om allmän handling avseende {matter}", "Begäran om utlämnande av handlingar, {matter}"),
     ("begäran om handlingar", "begär ut handlingar om {matter}", "Allmän handling", "offentlighetsprincipen")),
    ("KS", ("Skadeståndsanspråk, {street}", "Skadeanmälan, {street}"),
     ("skadestånd", "Ramlade på {street}", "Min bil skadades {street}", "ersättning för punktering", "grop i vägen")),
    ("KS", ("Borgensåtagande för {club}", "Kommunal borgen, {company}"), ("borgen", "Ansökan borgen", "Borgensansökan {club}")),
    ("KS", ("Årsredovisning för {company}", "Årsredovisning 2025, {company}"), ("årsredovisning", "Bokslut {company}", "Årsredovisningen")),
    ("KS", ("Samverkan kring {matter}", "Samverkansavtal om {matter}"), ("samverkan", "avtal", "Samverkan {matter}", "avtalsförslag {matter}")),
    ("KS", ("Bredbandsutbyggnad i {place}",), ("fiber", "när kommer fibern till {place}?", "bredband", "Fiber {street}")),
    ("KS", ("Flaggning och ceremonier vid {hall}",), ("flaggning", "Invigning av {hall}")),
)  # fmt: skip

# (direction, who starts, as registered before the title or alone, as people write it)
DOCUMENTS = (
    ("in", ("Ansökan", "Ansökan inkommen", "Ansökan med bilagor", "Ansökan jämte ritningar"), ("Ansökan", "ansöker om", "ansökan bifogas", "Vill söka", "")),
    ("in", ("Komplettering", "Kompletterande handlingar", "Komplettering av ansökan", "Inkomna kompletteringar"), ("komplettering", "Kompletterar", "här kommer det som saknades", "bilagor", "de uppgifter ni ville ha")),
    ("in", ("Yttrande", "Inkommet yttrande", "Yttrande från remissinstans", "Remissvar"), ("Yttrande", "Svar på remiss", "vårt yttrande", "Synpunkter")),
    ("in", ("Synpunkter", "Skrivelse", "Skrivelse från enskild", "E-post med synpunkter"), ("synpunkter", "Angående", "klagomål", "vad händer med", "Fundering kring", "")),
    ("in", ("Överklagande", "Överklagan av beslut"), ("Överklagan", "överklagar ert beslut", "jag accepterar inte beslutet")),
    ("in", ("Fråga om handläggning", "Förfrågan om status i ärendet"), ("Hur går det?", "status", "Fråga", "Undrar hur det går med", "när får jag besked")),
    ("in", ("Fullmakt", "Fullmakt för ombud"), ("Fullmakt", "fullmakten", "ombud")),
    ("in", ("Underlag", "Beslutsunderlag", "Rapport", "Redovisning"), ("underlag", "Rapport", "redovisning", "översänder")),
    ("in", ("Återkallande av ansökan", "Återtagande"), ("drar tillbaka", "Återkallar", "vi vill inte längre")),
    ("in", ("Begäran om anstånd", "Anståndsbegäran"), ("Anstånd", "mer tid", "hinner inte svara i tid")),
    ("out", ("Beslut", "Delegationsbeslut", "Expediering av beslut", "Underrättelse om beslut"), ("Beslut", "Meddelande om beslut", "Beslut i ärende", "Ni har fått ett beslut")),
    ("out", ("Begäran om komplettering", "Föreläggande om komplettering"), ("Begäran om komplettering", "Vi behöver fler uppgifter", "Komplettera er ansökan")),
    ("out", ("Mottagningsbekräftelse", "Bekräftelse på inkommen ansökan"), ("Bekräftelse", "Vi har tagit emot ditt ärende", "Ditt ärende är registrerat")),
    ("out", ("Remiss till sakägare", "Remittering", "Underrättelse till grannar"), ("Remiss", "Underrättelse", "Tillfälle att yttra er")),
    ("out", ("Svar", "Svarsskrivelse", "Skrivelse till sökande"), ("Svar", "Svar på din fråga", "Angående ditt ärende", "Återkoppling")),
    ("out", ("Kallelse till möte", "Inbjudan till samråd"), ("Kallelse", "Inbjudan", "Mötestid")),
)  # fmt: skip

MATTERS = (
    "gratis busskort för unga", "hundrastgård", "fler laddstolpar", "inköp av ekologisk mat", "utegym", "tiggeriförbud",
    "trygghetsvandringar", "solceller på kommunala tak", "lekplats", "sommarlovsaktiviteter", "badplats", "kollektivtrafik",
    "näringslivspolitik", "integration", "seniorkort", "cykelparkering", "minskat matsvinn", "visselblåsarfunktion",
    "e-arkiv", "krisberedskap", "räddningstjänst", "vattenskydd", "invasiva arter", "parkeringsavgifter", "bibliotekets öppettider",
    "nattvandring", "återbruk", "kameraövervakning", "digital post", "friluftsliv", "familjecentral", "skolornas lokaler",
)  # fmt: skip
REMITS = (
    "Ett stärkt skydd för vattentäkter", "regional transportplan", "En ny socialtjänstlag", "länstransportplan 2026–2037",
    "Betänkandet Tid för skola", "nya regler om avfall", "vindkraft till havs", "förslag till kulturmiljöprogram",
    "statliga stöd till landsbygd", "regionalt trafikförsörjningsprogram", "Säkrare dricksvatten", "ändring i plan- och bygglagen",
    "riksintressen för energi", "Barnets bästa i domstol", "översiktsplan för grannkommunen", "naturreservat vid kusten",
)  # fmt: skip
GOODS = (
    "livsmedel", "städtjänster", "kontorsmöbler", "skolskjutstrafik", "konsulttjänster", "larm", "IT-drift", "arbetskläder",
    "matdistribution", "fordon", "VVS-arbeten", "byggtjänster", "markskötsel", "tolktjänster", "lekutrustning", "företagshälsovård",
)  # fmt: skip
PLACES = (
    "Sjövik", "Ekudden", "Norrby", "Söderstrand", "Kvarnbacken", "Björkhaga", "Åsvik", "Västanå", "Ängsholm", "Stationsområdet",
    "Hamnen", "Lövberga", "Tallåsen", "Klockarängen", "Prästgårdsgärdet", "Hällevik", "Mossebo", "Rosendal", "Vreta", "Östra Ryd",
    "Kungsmarken", "Bergsjön", "Grönalund", "Kalvhagen", "Lillsjö", "Näs", "Sandbacka", "Torpa", "Uddebo", "Älvkarlshult",
)  # fmt: skip
STREETS = (
    "Storgatan", "Kvarngatan", "Björkvägen", "Skolgatan", "Åvägen", "Industrigatan", "Ringvägen", "Lingonstigen", "Hamngatan",
    "Kyrkogatan", "Bangatan", "Södra vägen", "Tallbacksvägen", "Mejerigatan", "Rönnvägen", "Backgatan", "Smedjegatan", "Solrosvägen",
)  # fmt: skip
SCHOOLS = (
    "Sjöviksskolan", "Ekuddens skola", "Norrbyskolan", "Kvarnbackeskolan", "Björkhagaskolan", "Tallåsskolan", "Centralskolan",
    "Rosendalsskolan", "Västra skolan", "Vretaskolan", "Hamnskolan", "Lövbergaskolan", "Parkskolan", "Åsviksskolan",
)  # fmt: skip
HALLS = (
    "Sporthallen",
    "Ishallen",
    "Folkets hus",
    "Simhallen",
    "Kulturhuset",
    "Idrottsplatsen",
    "Medborgarhuset",
    "Aulan",
)
CLUBS = (
    "Sjövalla IF", "Norrby BK", "Sjövalla Ridklubb", "Hembygdsföreningen Sjövik", "Kvarnbackens byalag", "Sjövalla Simsällskap",
    "Scouterna i Björkhaga", "PRO Sjövalla", "Teaterföreningen Ridån", "Åsviks samhällsförening", "Sjövalla Konstförening",
    "Vreta Skytteförening", "Sjövalla Kammarkör", "Tallåsens SK", "Föreningen Norden Sjövalla", "Filmstudion Sjövalla",
)  # fmt: skip
PARTIES = (
    "Centerpartiet",
    "Socialdemokraterna",
    "Moderaterna",
    "Vänsterpartiet",
    "Liberalerna",
    "Miljöpartiet",
    "Sjövallapartiet",
)

COMPANY_FIRST = (
    "Nordbygg", "Svea", "Sjövalla", "Bergström", "Lundins", "Ekmans", "Västkustens", "Gröna", "Allians", "Prima", "Mälar", "Kust",
    "Granit", "Höjdens", "Östlunds", "Viking", "Roslags", "Norrskens", "Ceder", "Bror Holms", "Ankarets", "Solgläntans", "Tranans",
    "Delta", "Fyrens", "Kronans", "Lejonets", "Holmgrens", "Åströms", "Wallins", "Ljungbergs", "Stenbocks",
)  # fmt: skip
COMPANY_SECOND = (
    "Bygg", "Entreprenad", "Fastigheter", "Måleri", "El", "Rör", "Konsult", "Omsorg", "Åkeri", "Schakt", "Plåt", "Arkitekter", "Förskola",
    "Restaurang", "Livs", "Mark och Trädgård", "Energi", "Assistans", "Städ", "Data", "Mekaniska", "Bageri", "Hotell", "Miljöteknik",
)  # fmt: skip
COMPANY_FORM = ("AB", "AB", "AB", "HB", "Ekonomisk förening", "AB (publ)", "")

# (name in a diary, variants of it, domain)
AUTHORITIES = (
    ("Länsstyrelsen", ("Länsstyrelsen i länet", "Lst"), "lansstyrelsen.example"),
    ("Trafikverket", ("Trafikverket Region Väst", "TRV"), "trafikverket.example"),
    ("Skolverket", ("Statens skolverk",), "skolverket.example"),
    ("Skolinspektionen", ("Statens skolinspektion",), "skolinspektionen.example"),
    ("Inspektionen för vård och omsorg", ("IVO",), "ivo.example"),
    ("Boverket", (), "boverket.example"),
    ("Naturvårdsverket", (), "naturvardsverket.example"),
    ("Lantmäteriet", ("Lantmäterimyndigheten",), "lantmateriet.example"),
    ("Region Sjöland", ("Regionen", "Region Sjöland, regionkontoret"), "regionsjoland.example"),
    ("Socialstyrelsen", (), "socialstyrelsen.example"),
    ("Finansdepartementet", ("Regeringskansliet, Finansdepartementet",), "regeringskansliet.example"),
    ("Förvaltningsrätten", ("Förvaltningsrätten i Sjöstad",), "dom.example"),
    ("Mark- och miljödomstolen", ("MMD",), "dom.example"),
    ("Polismyndigheten", ("Polisen",), "polisen.example"),
    ("Sveriges Kommuner och Regioner", ("SKR",), "skr.example"),
    ("Grannby kommun", ("Grannby kommun, kommunstyrelsen",), "grannby.example"),
    ("Storköpings kommun", (), "storkoping.example"),
    ("Räddningstjänsten Sjöland", ("Räddningstjänstförbundet",), "rtjsjoland.example"),
    ("Energimyndigheten", (), "energimyndigheten.example"),
    ("Riksarkivet", (), "riksarkivet.example"),
)  # fmt: skip

FIRST_NAMES = (
    "Anna Lars Maria Karl Eva Anders Karin Johan Sara Per Lena Nils Emma Erik Kerstin Mikael Ingrid Olof Linnéa Jan Hanna Hans Åsa "
    "Peter Elin Gunnar Birgitta Fredrik Ida Sven Malin Göran Jenny Bengt Amira Mohammed Fatima Ali Zofia Piotr Aino Mehmet Leyla "
    "Josef Tuva Björn Ulla Tobias Märta Rolf Camilla Daniel Frida Stig Agneta Viktor Nora Oskar Helena Robert"
).split()  # fmt: skip
SURNAMES = (
    "Andersson Johansson Karlsson Nilsson Eriksson Larsson Olsson Persson Svensson Gustafsson Lindqvist Bergström Åkesson Öberg "
    "Sjögren Wikström Lundgren Ekström Hellström Nyström Sandberg Holmberg Engström Björklund Forsberg Lindholm Söderberg Nordin "
    "Hedlund Ahmed Hassan Kowalski Virtanen Yilmaz Nguyen Petrović Haddad Ek Ström Falk Berg Dahl Blom Rask Frisk Wallin Grönlund "
    "Lindahl Mårtensson Palm Hallberg Ljung Hjalmarsson Qvist Stenberg Åberg Ödman Rydberg Tengvall Vestin"
).split()  # fmt: skip

# What comes to a municipality and is never registered: {number} and {name} may be filled.
NOISE = (
    "Nyhetsbrev {month}", "Inbjudan webbinarium: {matter}", "Veckobrev v. {week}", "Kampanj på kontorsmaterial", "Fika på fredag?",
    "Lunch?", "Sjuk idag", "Fakturaspecifikation {number}", "Faktura {number}", "Orderbekräftelse {number}", "Din bokning {number} är bekräftad",
    "Påminnelse: tidrapport", "Nya öppettider", "God jul!", "Förfallodag faktura {number}", "Grattis {name}!", "Re: möte på torsdag",
    "Skrivaren på plan 2", "Lösenordet går ut", "VAB", "Utbildning i diarieföring", "Kursinbjudan: GDPR i praktiken", "Rekrytering pågår",
    "Mötesanteckningar {date}", "Dagordning {date}", "Fackligt möte {date}", "Semesterlista", "Erbjudande till kommuner", "Pressmeddelande: {matter}",
    "Tack för senast", "Parkeringsplats uthyres", "You have won", "Invoice {number}", "Ert ordernr {number}", "Läsåret 2025/26 – scheman",
    "Budgetprocessen 2026-2028", "Automatiskt svar: {matter}", "Frånvaro: {name}", "Kalender: arbetsgrupp {matter}", "Leveransavisering {number}",
)  # fmt: skip
EMPTY_SUBJECTS = (
    "",
    "Hej",
    "Hej!",
    "fråga",
    "Fråga till kommunen",
    "viktigt",
    "(inget ämne)",
    "Dokument",
    "Till berörd",
    "info",
    "hjälp",
    "inskannat dokument",
)
