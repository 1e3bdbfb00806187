/**
 * Raw material of the invented population: everyday names, the commonest first, and invented places. No
 * line is taken from a register of people.
 */
const words = (text: string): readonly string[] => text.trim().split(/\s+/)

export const femaleNames = words(`
Margaret Susan Patricia Mary Christine Elizabeth Jean Sarah Linda Karen Emma Claire Nicola Julie Laura Helen Rebecca Jane
Olivia Amelia Emily Jessica Sophie Isla Ava Grace Lily Freya Ella Charlotte Evie Mia Rosie Alice Florence Poppy Lucy Hannah
Katie Amy Rachel Victoria Samantha Joanne Lisa Michelle Tracey Sharon Deborah Angela Jacqueline Carol Sandra Barbara Pauline
Maureen Sheila Joan Dorothy Doris Joyce Irene Gladys Edna Hilda Ethel Winifred Vera Beryl Marjorie Aisha Fatima Zainab Maryam
Priya Anjali Simran Mei Ling Agnieszka Zofia Oluwaseun Adaeze Ngozi Siân Zoë Chloë Anaïs Renée Noémie Bríd Niamh Caoimhe
Eilidh Morag Catrin Angharad Nerys Ffion Ana Ilinca Yetunde Hye-jin Anne-Marie Mary-Jane Sarah-Louise`)

export const maleNames = words(`
David John Michael Peter Robert James Paul Andrew Stephen Christopher Mark Richard William Thomas Daniel Matthew Steven
Oliver George Harry Noah Jack Leo Arthur Muhammad Oscar Charlie Jacob Henry Freddie Alfie Theo Archie Joshua Alexander Samuel
Benjamin Joseph Adam Luke Ryan Simon Jonathan Kevin Gary Ian Anthony Martin Philip Graham Alan Brian Keith Colin Trevor
Raymond Kenneth Dennis Roy Ronald Derek Norman Albert Ernest Frederick Harold Sidney Leonard Stanley Cyril Reginald Mohammed
Ibrahim Yusuf Hamza Arjun Rohan Gurpreet Wei Jian Piotr Tomasz Chukwuemeka Tunde Kwame Séan Seán Rhodri Iwan Dafydd Emyr
Callum Fergus Hamish Ruaridh Éamonn José André René Björn Zoltán Łukasz Jean-Luc John-Paul Ali`)

export const familyNames = words(`
Smith Jones Williams Taylor Brown Davies Evans Wilson Thomas Johnson Roberts Robinson Thompson Wright Walker White Edwards
Hughes Green Hall Lewis Harris Clarke Patel Jackson Wood Turner Martin Cooper Hill Ward Morris Moore Clark Lee King Baker
Harrison Morgan Allen James Scott Phillips Watson Davis Parker Price Bennett Young Griffiths Mitchell Kelly Cook Carter
Richardson Bailey Collins Bell Shaw Murphy Miller Cox Richards Khan Marshall Anderson Simpson Ellis Adams Singh Begum
Wilkinson Foster Chapman Powell Webb Rogers Gray Mason Ali Hunt Hussain Campbell Matthews Owen Palmer Holmes Mills Barnes
Knight Lloyd Butler Russell Barker Fisher Stevens Jenkins Murray Dixon Harvey Graham Pearson Ahmed Fletcher Walsh Kaur
Gibson Howard Andrews Stewart Elliott Reynolds Saunders Payne Fox Ford Pearce Day Brooks West Lawrence Cole Atkinson Bradley
Spencer Gill Dawson Watkins Burton O'Brien Wallace Hudson O'Neill O'Connor O'Sullivan D'Souza D'Arcy McDonald MacLeod
McCarthy Fitzgerald Nowak Kowalski Wójcik Müller Björk Núñez García Çelik Şahin Ångström Žižek Dvořák Nguyen Chen Wong Okafor
Adeyemi Mensah Popescu Ionescu Silva Ferreira Rossi Schmidt Andersson Jørgensen Österberg`)

/** Joined to further family names, so that the rare ones are many, as they are among people. */
export const familyBeginnings = words(`
Ash Black Brad Brom Cald Carl Chad Clif Crom Dal Dun East Fair Farn Gar Gled Had Hart Hazel Hol Kel Kirk Lang Lin Lang Mar Mel
Nor Old Over Pem Quen Rad Ram Red Rush Sand Shel Skel Stan Stock Sut Tan Thorn Tin Under Wal War Wel Whit Win Wood Yar`)
export const familyEndings = words(
  `borough bourne bury by combe cote croft dale den don field ford gate ham hurst ley man mere more ridge shaw son stead stock thorpe ton wall well wick wood worth`,
)

export const streets = words(`
High Station Church Park Mill Victoria Green Manor Kings Queens New Grange North South Albert George Windsor York Chapel School
London Main Stanley Alexandra Springfield Broad Meadow Orchard Oak Elm Ash Beech Lime Willow Cedar Holly Poplar Rowan Larch`)
export const streetKinds = words('Road Street Lane Avenue Close Drive Way Crescent Gardens Place Court Terrace')
export const towns = words(`
Testham Mockbridge Sampleton Dummyford Exampleby Falseworth Pretendham Notrealton Inventley Fictionbury Makebelow Shamwick`)
export const counties = words('Mockshire Testland Exampleshire Fauxfolk')

/** GP practices of the population; the first two are those of the worked example. */
export const practices = words(
  'A20047 B82617 A81001 B83020 C84005 D85011 E86017 F87023 G88029 H89035 J90041 K91047 L92053 M93059',
)
