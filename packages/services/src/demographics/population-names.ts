/**
 * Raw material of the invented population: everyday names, the commonest first, and invented places. No
 * line is taken from a register of people.
 */
const words = (text: string): readonly string[] => text.trim().split(/\s+/)

/** Births up to these years share what names were in fashion; the last cohort has no end. */
export const cohortEnds = [1944, 1964, 1984, 2004] as const

/** People who draw on the same names. Within a list the commonest stand first. */
export interface Community {
  /** Share of households. */
  readonly share: number
  readonly families: readonly string[]
  /** Share of family names that are put together out of beginnings and endings, or joined by a hyphen. */
  readonly rareFamilies: number
  /** By cohort of birth; the last list serves every later cohort. */
  readonly female: readonly (readonly string[])[]
  readonly male: readonly (readonly string[])[]
  /** Names outside every fashion, which a fair share has. */
  readonly rareGiven?: { readonly female: readonly string[]; readonly male: readonly string[] }
  /** Share of the grown-up whose day of birth was not known when they were registered, and is the first of January. */
  readonly unknownBirthday: number
  /** ISO 639-1 code and display of the language that some of them prefer. */
  readonly language?: readonly [code: string, display: string]
}

const britishFamilies = words(`
Smith Jones Williams Taylor Brown Davies Evans Wilson Thomas Johnson Roberts Robinson Thompson Wright Walker White Edwards
Hughes Green Hall Lewis Harris Clarke Jackson Wood Turner Martin Cooper Hill Ward Morris Moore Clark Lee King Baker Harrison
Morgan Allen James Scott Phillips Watson Davis Parker Price Bennett Young Griffiths Mitchell Kelly Cook Carter Richardson
Bailey Collins Bell Shaw Murphy Miller Cox Richards Marshall Anderson Simpson Ellis Adams Wilkinson Foster Chapman Powell Webb
Rogers Gray Mason Hunt Campbell Matthews Owen Palmer Holmes Mills Barnes Knight Lloyd Butler Russell Barker Fisher Stevens
Jenkins Murray Dixon Harvey Graham Pearson Fletcher Walsh Gibson Howard Andrews Stewart Elliott Reynolds Saunders Payne Fox
Ford Pearce Day Brooks West Lawrence Cole Atkinson Bradley Spencer Gill Dawson Watkins Burton O'Brien Wallace Hudson O'Neill
O'Connor O'Sullivan McDonald MacLeod McCarthy Fitzgerald Armstrong Austin Baldwin Ball Banks Barrett Barton Bates Berry Birch
Bishop Black Blake Bond Booth Bowen Boyd Brady Brennan Bryant Buckley Burgess Burke Burns Byrne Cameron Carroll Chadwick
Chambers Connolly Crawford Cross Cunningham Curtis Daly Dean Doherty Douglas Doyle Duffy Duncan Dunn Dyer Farrell Faulkner
Ferguson Field Fleming Flynn Forbes Francis Franklin Freeman French Frost Gallagher Gardiner Gardner George Gilbert Glover
Goddard Gordon Gough Grant Gregory Griffin Haines Hamilton Hammond Hancock Hardy Harper Hart Hartley Hayes Haynes Henderson
Henry Herbert Hewitt Hicks Higgins Hobbs Hodgson Holland Holt Hooper Hope Hopkins Horton Houghton Howarth Howe Hunter Hurst
Hutchinson Ingram Jarvis Jennings Johnston Jordan Joyce Kemp Kennedy Kent Kerr Lamb Lambert Lane Leach Leonard Little Long
Lowe Lucas Lynch Macdonald Mackenzie Maguire Mann Manning Marsden Marsh May McKenna McLean Metcalfe Middleton Moran Morrison
Morton Moss Mullen Myers Nash Naylor Nelson Newman Newton Nicholls Nicholson Nolan Norman Norris North Norton O'Donnell
O'Reilly Oliver Osborne Page Parkin Parkinson Parsons Patterson Peacock Perkins Perry Peters Phipps Pickering Poole Porter
Potter Pratt Preston Pritchard Pugh Quinn Randall Read Reed Rees Reid Rhodes Rice Richmond Riley Robertson Rose Ross Rowe
Rowley Ryan Sanders Sanderson Savage Schofield Sharp Shepherd Sheppard Short Simmonds Simmons Skinner Slater Sparks Stanley
Steele Stephens Stephenson Stevenson Stone Storey Stuart Sullivan Summers Sutton Swift Sykes Tait Talbot Thornton Todd
Tomlinson Townsend Tucker Tyler Vaughan Vincent Waller Walters Walton Warner Warren Waters Watts Weaver Wells Welch Wheeler
Whitehead Whittaker Wilkins Willis Winter Woods Woodward Wyatt Yates York`)

const british: Community = {
  share: 0.79,
  families: britishFamilies,
  rareFamilies: 0.7,
  rareGiven: {
    female:
      words(`Adelaide Agatha Alexa Althea Amber Anita Annabel Annette Antonia April Arabella Astrid Athena Augusta Autumn
      Beatrice Belinda Bernadette Bianca Bridget Briony Camilla Candice Carla Carmel Cassandra Cecily Celeste Celia Cheryl
      Clarissa Clementine Colette Cordelia Corinne Cynthia Daphne Davina Delia Della Diana Dinah Dominique Doreen Edwina
      Elaine Elspeth Emmeline Enid Erica Estelle Eugenie Faye Felicity Fern Fiona Freda Gaynor Gemma Georgette Germaine
      Gretchen Greta Gwen Harriet Heidi Hermione Hope Imelda Ingrid Isobel Janice Jasmine Jemima Jenna Jocelyn Juliet June
      Justine Kirsten Kimberley Lana Lavinia Leona Leonora Leticia Lois Lorna Lucinda Lydia Mabel Madeleine Maeve Marcia
      Marianne Marlene Martine Maxine Melissa Mercy Meryl Minnie Mirabel Miranda Moira Mona Monica Muriel Myra Nadine Naomi
      Nerissa Nigella Octavia Odette Ottilie Paulette Petra Philippa Phyllida Portia Primrose Prudence Ramona Regina Rhoda
      Roberta Rosalind Rosamund Rowena Roxanne Sabrina Saskia Selina Serena Shirley Sophia Stella Tabitha Tamara Tamsin
      Tanya Tess Thelma Theodora Tiffany Trudy Ursula Vanessa Verity Verona Virginia Vivien Wanda Willa Xanthe Yolanda
      Yvette Zara Zelda`),
    male: words(`Abel Abraham Adrian Aidan Alastair Alec Algernon Ambrose Amos Angus Ansel Anselm Archibald Aubrey August
      Austin Barnaby Basil Benedict Benjy Boris Brendan Bruce Bruno Byron Caleb Calvin Casper Cedric Christian Clarence
      Clark Claude Clement Colm Conrad Cormac Crispin Curtis Cuthbert Dale Damian Damon Darcy Declan Desmond Dexter Digby
      Dominick Donald Dorian Duncan Dylan Dwight Eamon Earl Edgar Edmund Edwin Eli Elmer Emlyn Emmet Eugene Evan Fabian
      Felix Fergal Finbar Finlay Fletcher Floyd Gareth Garth Gavin Gerard Gideon Gilbert Giles Glyn Godfrey Gordon Guy
      Gwilym Hector Hilary Horace Howard Hugh Humphrey Ignatius Ira Ivan Ivor Jago Jarvis Jerome Jethro Joel Jonah Jude
      Julian Justin Kenton Kit Kurt Lambert Lancelot Laurence Lawson Leander Lester Lionel Lloyd Lorcan Lucian Lyndon
      Magnus Marcus Marius Marvin Maximilian Melvin Merlin Miles Milo Montague Mortimer Morgan Murdo Myles Neville Nicol
      Ninian Norris Oberon Orlando Orson Osbert Oswald Otis Otto Quentin Ralph Randall Redmond Regan Rex Rodney Roland Rolf
      Roman Ross Rufus Rupert Russell Salvador Saul Sebastian Septimus Shane Sheldon Silas Solomon Spencer Stefan Sylvester
      Tarquin Terrence Thaddeus Tobias Torin Tristan Tyrone Ulric Vernon Vincent Virgil Warwick Wesley Wilbur Winston Xavier
      Zachary`),
  },
  unknownBirthday: 0,
  female: [
    words(`Margaret Mary Joan Doris Jean Dorothy Joyce Barbara Sheila Kathleen Patricia Irene Winifred Gladys Edna Hilda Ethel
      Vera Beryl Marjorie Eileen Florence Elsie Audrey Ruby Betty Sylvia Maureen Edith Rose Phyllis Ivy Hazel Constance Muriel
      Olive Nora Evelyn Freda Lilian Mabel Annie Alice Ellen Agnes Nellie Iris Norma Pamela Brenda Rita Elizabeth`),
    words(`Susan Margaret Christine Linda Patricia Carol Jean Mary Janet Ann Elizabeth Barbara Maureen Pauline Sandra Sheila
      Jacqueline Julie Jane Gillian Angela Marilyn Valerie Lesley Jennifer Judith Marion Rosemary Hilary Diane Deborah Helen
      Lynn Anne Kathleen Eileen Carole Yvonne Beverley Denise Teresa Catherine Frances Stephanie Penelope Geraldine Wendy Jill
      Sally Alison Lorraine Josephine`),
    words(`Sarah Claire Nicola Emma Lisa Joanne Michelle Helen Samantha Karen Amanda Rachel Louise Julie Tracey Sharon Kelly
      Victoria Rebecca Angela Jacqueline Catherine Jennifer Laura Elizabeth Katherine Deborah Alison Tracy Donna Clare Caroline
      Dawn Wendy Susan Zoe Anna Natalie Melanie Kerry Gemma Lucy Heather Tina Maria Ruth Paula Charlotte Lindsay Hayley Siân
      Bríd Angharad Morag Anne-Marie`),
    words(`Rebecca Lauren Jessica Charlotte Hannah Sophie Amy Emily Laura Emma Chloe Sarah Lucy Katie Bethany Megan Georgia
      Rachel Alice Holly Olivia Abigail Shannon Eleanor Elizabeth Molly Jade Natasha Danielle Jodie Natalie Stephanie Gemma
      Leanne Ellie Zoë Paige Grace Ffion Niamh Caoimhe Eilidh Catrin Nerys Francesca Imogen Isabelle Phoebe Amelia Kayleigh
      Mary-Jane Sarah-Louise`),
    words(`Olivia Amelia Isla Ava Emily Lily Sophia Isabella Mia Poppy Ella Grace Freya Evie Charlotte Florence Willow Sophie
      Daisy Phoebe Rosie Elsie Ivy Ruby Alice Matilda Sienna Evelyn Harper Maya Millie Erin Molly Jessica Chloe Imogen Eliza
      Lola Thea Esme Maisie Martha Penelope Aria Bonnie Robyn Aoife Eira Orla Chloë Luna Violet Hallie`),
  ],
  male: [
    words(`John William George Ronald James Kenneth Thomas Arthur Robert Albert Frederick Dennis Ernest Eric Peter Stanley
      Leslie Norman Raymond Harold Charles Reginald Leonard Derek Roy Alfred Frank Jack Edward Joseph Harry Sidney Gordon
      Douglas Henry Walter Cyril Donald Herbert Bernard Percy Cecil Victor Alan Brian Geoffrey David Michael Gerald Maurice
      Wilfred Hubert Clifford`),
    words(`David John Peter Michael Alan Robert Stephen Paul Brian Graham Philip Anthony Colin Christopher Geoffrey William
      James Keith Terence Barry Malcolm Richard Ian Derek Roger Raymond Kenneth Andrew Trevor Martin Kevin Nigel Clive Mark
      Gary Roy Stuart Dennis Douglas Patrick Neil Gordon Rodney Ronald Norman Jeffrey Timothy Simon Leslie Frank Gerald
      Nicholas`),
    words(`Paul David Andrew Stephen Mark Michael Ian Gary Robert Richard Peter John Anthony Christopher Darren Kevin Martin
      Simon Philip Graham Colin Adrian Nigel Alan Neil Shaun Jonathan Nicholas Stuart Timothy Wayne Brian James Carl Jeffrey
      Lee Matthew Steven Craig Jason Daniel Barry Dean Karl Garry Keith Thomas Patrick Séan Rhodri Hamish Dafydd Éamonn
      John-Paul`),
    words(`Daniel Thomas James Matthew Joshua Adam Luke Michael Christopher Ryan Jack Samuel Joseph Jordan Benjamin Alexander
      Jake Robert Lewis William Liam Nathan Oliver Connor Aaron Ashley Jonathan David Callum George Kieran Charlie Bradley
      Harry Andrew Scott Sean Dominic Edward Iwan Emyr Fergus Ruaridh Louis Max Toby Elliot Rhys Owen Henry Patrick Lee`),
    words(`Oliver George Harry Noah Jack Leo Arthur Oscar Charlie Jacob Henry Thomas Freddie Alfie Theo William Archie Joshua
      Alexander James Isaac Edward Lucas Tommy Finley Max Logan Ethan Teddy Mason Harrison Benjamin Daniel Sebastian Adam
      Reggie Roman Louie Jude Albie Ezra Rory Luca Hugo Reuben Elijah Frankie Toby Joseph Samuel Elis Osian Ruairí Jenson`),
  ],
}

export const communities: readonly Community[] = [
  british,
  {
    share: 0.065,
    families:
      words(`Khan Ahmed Ali Hussain Begum Mohammed Mahmood Akhtar Iqbal Malik Shah Miah Hassan Uddin Rahman Bibi Hussein
      Aziz Choudhury Mirza Islam Abdullah Chaudhry Rashid Raja Sheikh Siddiqui Butt Ashraf Yusuf Khatun Ibrahim Qureshi Rehman
      Sultana Bashir Karim Saeed Anwar Farooq`),
    rareFamilies: 0,
    unknownBirthday: 0.06,
    language: ['ur', 'Urdu'],
    female: [
      words(`Fatima Nasreen Shazia Razia Parveen Rukhsana Zainab Shabana Yasmin Naseem Samina Rashida Farzana Khadija Amina Nadia
        Saima Tahira Rubina Shaheen`),
      words(`Aisha Fatima Maryam Zara Zainab Sana Amina Khadija Hafsa Safa Aaliyah Inaya Aleena Iqra Sumaya Noor Ayesha Laiba
        Hannah Anaya Alina Zoya Sarah Mariam Eliza`),
    ],
    male: [
      words(`Mohammed Abdul Muhammad Tariq Khalid Nasir Javed Arshad Imran Shahid Zahid Tahir Rashid Mahmood Ashraf Pervez Iqbal
        Sajid Asif Naveed Ghulam Liaqat`),
      words(`Muhammad Mohammed Ibrahim Yusuf Adam Hamza Ali Mohammad Ahmed Omar Zayn Musa Bilal Hassan Haris Zakariya Ismail Umar
        Abdullah Ayaan Eesa Yahya Idris Rayyan`),
    ],
  },
  {
    share: 0.045,
    families:
      words(`Patel Singh Kaur Shah Sharma Kumar Gill Sandhu Dhillon Mistry Desai Parmar Chauhan Joshi Gupta Mehta Sidhu
      Dhaliwal Nair Reddy Bains Johal Sahota Solanki Rao Verma Thakur Pillai Menon Grewal D'Souza`),
    rareFamilies: 0,
    unknownBirthday: 0.02,
    language: ['pa', 'Panjabi'],
    female: [
      words(`Kamla Pushpa Surinder Sushila Gurmit Kiran Meena Harjit Anita Sunita Jaswinder Hansa Nirmala Balbir Usha Manjit
        Savita Kanta Rekha Daksha`),
      words(`Priya Anjali Simran Jasmine Aanya Diya Anika Kavita Neha Pooja Ria Jasleen Harleen Isha Maya Kareena Nisha Avni Saanvi
        Tara Mehak`),
    ],
    male: [
      words(`Gurpreet Rajesh Suresh Balwinder Harbhajan Mohan Ramesh Mahesh Jaswant Kanti Ashok Vinod Sukhdev Dilip Anil Kishor
        Baldev Gurdeep Prakash Bharat`),
      words(`Arjun Rohan Aarav Jai Krishan Gurpreet Amar Kiran Nikhil Vivek Aryan Harjot Karan Dev Sahil Veer Ishaan Kian Jeevan
        Rahul Neel`),
    ],
  },
  {
    share: 0.04,
    families:
      words(`Okafor Adeyemi Mensah Adebayo Owusu Boateng Okoye Ogunleye Abdi Hassan Mohamed Osei Asante Eze Balogun Nwosu
      Appiah Ibrahim Kamara Sesay Diallo Chukwu Ojo Oyelaran Agyeman Bangura Mutasa Moyo Dube Warsame`),
    rareFamilies: 0,
    unknownBirthday: 0.04,
    female: [
      words(`Adaeze Ngozi Grace Oluwaseun Abena Mary Comfort Yetunde Esther Folake Blessing Patience Florence Amina Akosua Joyce
        Mercy Beatrice Faith Halima`),
      words(`Naomi Gabriella Temi Zara Amara Aaliyah Esther Abigail Tiana Chidera Maryam Ayomide Grace Rachel Sade Nia Imani Efua
        Hodan Ifeoluwa`),
    ],
    male: [
      words(`Emmanuel Kwame Samuel Chukwuemeka Tunde Joseph Kofi Daniel Olu Peter Babatunde Mohamed Isaac Yaw Stephen Femi
        Abdullahi Michael Emeka Kwabena`),
      words(`David Daniel Joshua Elijah Samuel Nathan Jeremiah Caleb Tobi Michael Malachi Isaiah Kayden Abdirahman Emmanuel Micah
        Josiah Ayo Kai Zion`),
    ],
  },
  {
    share: 0.035,
    families:
      words(`Nowak Kowalski Wójcik Popescu Ionescu Silva Ferreira Rossi Schmidt Müller Santos Popa Kowalczyk Lewandowski
      Kamiński Zieliński Szymański Dvořák Horváth Nagy Novák García Núñez Fernandes Pereira Dumitru Stan Radu Björk Andersson
      Jørgensen Österberg Çelik Şahin Yılmaz Petrov Ivanova Kazlauskas Bērziņš Ångström Žižek`),
    rareFamilies: 0,
    unknownBirthday: 0,
    language: ['pl', 'Polish'],
    female: [
      words(`Agnieszka Anna Maria Katarzyna Elena Małgorzata Ioana Ana Joanna Monika Mihaela Magdalena Renée Carmen Dorota Irina
        Ewa Cristina Lucia Jolanta Ilinca Noémie`),
      words(`Zofia Maja Julia Sofia Maria Lena Hanna Emma Alexandra Gabriela Amelia Nikola Andreea Daria Antonia Eva Oliwia Laura
        Anaïs Sara Wiktoria`),
    ],
    male: [
      words(`Piotr Tomasz Andrei José Krzysztof Marek Ion Carlos Paweł Łukasz Mihai Vasile Giovanni Jan André Zoltán Pedro Marcin
        Florin Andrzej René Björn`),
      words(`Jakub Antoni Filip Jan Leon David Aleksander Oskar Luca Matei Adam Mateusz Szymon Gabriel Nikodem Daniel Marcel Andrei
        Tomás Kacper Stefan`),
    ],
  },
  {
    share: 0.015,
    families:
      words(`Chen Wong Lee Li Nguyen Wang Chan Zhang Liu Cheung Lam Tran Ng Yang Cheng Huang Pham Leung Ho Lin Wu Kim Park
      Tang Xu Lau`),
    rareFamilies: 0,
    unknownBirthday: 0.005,
    language: ['zh', 'Chinese'],
    female: [
      words(`Mei Ling Wai-Yee Siu-Ling Xiu Lan Hong Thi Yan Susan Fang Hui Lai-Fong Amy Min`),
      words(`Emily Jessica Hye-jin Mei Chloe Sophie Yi Jasmine Ling Vivian Xin Hannah Grace Angela Linh Zoe`),
    ],
    male: [
      words(`Wei Jian Kwok-Wing Chi-Keung Ming Peter Yong David Van Hung Kam-Fai Jun Tony Hao Michael`),
      words(`Jason Ryan Kevin Ethan Wei Lucas Jun Jayden Andy Minh Justin Leo Nathan Jian Oscar`),
    ],
  },
  {
    share: 0.01,
    families:
      words(`Cohen Levy Goldberg Schwartz Friedman Klein Rosen Katz Weiss Stern Hoffman Gross Adler Rubin Kaplan Green
      Lewis Marks Harris Samuels`),
    rareFamilies: 0.1,
    unknownBirthday: 0,
    female: [
      words(`Miriam Ruth Hannah Esther Rachel Leah Sarah Rebecca Judith Naomi Deborah Golda Freda Rivka Shoshana`),
      words(`Chaya Esther Sarah Leah Rivka Rachel Miriam Hannah Talia Shira Ella Abigail Eliana Noa`),
    ],
    male: [
      words(`David Samuel Joseph Abraham Jacob Isaac Harold Solomon Michael Leon Alan Benjamin Nathan Moshe`),
      words(`Moshe Joseph David Jacob Samuel Benjamin Noah Aaron Daniel Eli Reuben Asher Yosef Adam Zac`),
    ],
  },
]

/** Joined to further family names, so that the rare ones are many, as they are among people. */
export const familyBeginnings = words(`
Ash Black Brad Brom Cald Carl Chad Clif Crom Dal Dun East Fair Farn Gar Gled Had Hart Hazel Hol Kel Kirk Lang Lin Lang Mar Mel
Nor Old Over Pem Quen Rad Ram Red Rush Sand Shel Skel Stan Stock Sut Tan Thorn Tin Under Wal War Wel Whit Win Wood Yar`)
export const familyEndings = words(
  `borough bourne bury by combe cote croft dale den don field ford gate ham hurst ley man mere more ridge shaw son stead stock thorpe ton wall well wick wood worth`,
)

/** A pseudo-area: no place has postcodes that begin with ZZ, and ZZ99 stands for something else (no fixed abode …). */
export const districts = 98

export const streets = words(`
High Station Church Park Mill Victoria Green Manor Kings Queens New Grange North South Albert George Windsor York Chapel School
London Main Stanley Alexandra Springfield Broad Meadow Orchard Oak Elm Ash Beech Lime Willow Cedar Holly Poplar Rowan Larch
Abbey Bridge Castle Cross Field Forest Garden Hawthorn Heath Hazel Ivy Juniper Kestrel Lark Linden Maple Market Priory Quarry
River Rose Spring Sycamore Tower Union Vicarage Water Well Wheat Woodland Wren`)
export const streetKinds = words(
  'Road Street Lane Avenue Close Drive Way Crescent Gardens Place Court Terrace Grove Walk',
)
export const townBeginnings = words('Test Mock Sample Dummy Example False Pretend Notreal Invent Fiction Makebe Sham')
export const townEndings = words('ham bridge ton ford by worth den ley bury low wick')
export const counties = words('Mockshire Testland Exampleshire Fauxfolk')

/** GP practices of the population; the first two are those of the worked example. */
export const practices = words(
  'A20047 B82617 A81001 B83020 C84005 D85011 E86017 F87023 G88029 H89035 J90041 K91047 L92053 M93059',
)
