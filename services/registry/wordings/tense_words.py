"""The verbs by which each language tells of what has been and of what is to come, as data."""

from collections.abc import Mapping

from contracts.vocabulary import LanguageTag
from services.registry.wordings.tense import TenseWords


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


TENSE_WORDS: Mapping[LanguageTag, TenseWords] = {
    "en": TenseWords(
        past=_words(
            "was were had did met held took made began became came gave said sent saw led brought built grew fell"
            " rose"
            " went got left kept spoke wrote chose lost won laid paid struck sought told understood underwent"
            " undertook"
            " overcame begun taken given shown seen done written chosen grown driven spoken undertaken been heard"
            " stood"
            " ran drew spent bought thought taught caught found built bound felt won sold sat swept threw wore"
            " withdrew"
            " flew drove broke bore arose overtook oversaw upheld withheld rebuilt sworn known broken fallen risen"
            " drawn"
            " thrown frozen stolen born dealt fought lent meant proved became forgotten hidden held convened brought"
            " reaffirm reaffirms reaffirming reiterate reiterates reiterating recall recalls recalling commemorate"
            " commemorates commemorating thank thanks thanking"
        ),
        past_endings=("ed",),
        ahead=_words(
            "will shall would must should may might can could ll expected scheduled planned proposed slated projected"
            " intended anticipated supposed expects expect plans plan intends intend aims aim commits commit pledges"
            " pledge upcoming forthcoming going"
        ),
        ahead_endings=("'ll",),
        neither=_words(
            "need indeed speed proceed exceed succeed feed seed breed bed red hundred unprecedented related based"
            " limited detailed shared advanced united developed enhanced increased improved determined dedicated"
            " committed targeted combined interested required needed sustained integrated continued date our all the"
            " this that these those which whom what both each more bloodshed watershed naked wicked sacred aged"
        ),
        be=_words("be remain stay become"),
        was=_words("was were had"),
        managed=_words("managed succeeded") | {"been able", "was able", "were able"},
        called_off=_words("postponed cancelled canceled suspended"),
        opens_clause=_words("that where while whereas"),
        before_infinitives=_words("to"),
        infinitive_endings=("",),
        failed=_words("failed"),
    ),
    "es": TenseWords(
        past=_words(
            "fue fueron tuvo tuvieron hizo hicieron dio dieron hubo dijo puso vino era eran habia habian estuvo"
            " hemos han ha he celebramos reunimos adoptamos participamos acordamos hecho dicho puesto visto escrito"
            " abierto"
            " fuimos fui pudo quiso supo trajo mantuvo obtuvo contuvo detuvo sostuvo propuso dispuso expuso impuso"
            " compuso"
            " supuso intervino convino previno provino vio vieron di dimos tuvimos hicimos vinimos estuvimos"
            " condujo produjo"
            " redujo introdujo tradujo contrajo deshizo satisfizo sido muerto roto vuelto cubierto descubierto"
            " impreso"
            " resuelto suscrito inscrito descrito devuelto habido eran fueran tenian hacian decian venian podian"
            " recuerda recuerdan recordando recordamos recordaron reafirma reafirman reafirmamos reafirmando reitera"
            " reiteran reiteramos reiterando conmemora conmemoran conmemoramos agradecemos rememora"
        ),
        past_endings=(
            "ó",
            "aron",
            "ieron",
            "jeron",
            "aba",
            "aban",
            "ado",
            "ada",
            "ados",
            "adas",
            "ido",
            "ida",
            "idos",
            "idas",
            "ído",
            "ída",
            "uesto",
            "uesta",
        ),
        ahead=_words(
            "sera seran tendra tendran celebrara celebraran realizara realizaran entrara presentara debe deben debera"
            " deberan podra podran previsto prevista previstos previstas preve preven espera esperan vamos va van"
            " habra programado programada pretende pretenden compromete comprometen propone proponen"
        ),
        ahead_endings=("rá", "rán", "remos", "ría", "rían", "arse", "erse", "irse"),
        neither=_words(
            "estado estados mercado mercados medida medidas sentido sentidos partido partidos resultado resultados"
            " entrada salida vida temporada cuidado cuidados lado lados grado grados cantidad unidos unido acuerdo"
            " jornada mirada llamado comunidad tratado tratados privado privada elevado adecuado ciudadano mayoría"
            " debido dado llegada cada nada todavia mayoria categoria garantia energia economia tecnologia autonomia"
            " lugar hogar mar mujer militar titular singular particular similar primer tercer cualquier taller poder"
            " delegado abogado senado asociado encuentro determinado determinadas ayer acaba alimentario comida"
            " bebida"
            " juzgado condado soldado soldados ganado pescado significado contenido recorrido recorridos década"
            " decada"
            " decadas vivienda demanda tienda ayuda deuda duda moneda rueda seda"
        ),
        be=_words(
            "permanecer permanecera permaneceran "
            "ser sera seran seria serian estaria estarian sea sean estar estara estaran quedar quedara quedaran"
            " quede queden"
        ),
        was=_words("estaba estaban era eran fue fueron habia habian tenia tenian"),
        managed=_words("podido pudo pudieron logrado conseguido alcanzado"),
        called_off=_words(
            "pospuso pospusieron aplazo aplazaron cancelo cancelaron suspendio suspendieron postergo postergaron"
            " pospuesta pospuesto aplazada aplazado cancelada cancelado suspendida suspendido postergada postergado"
        ),
        opens_clause=_words("que donde cuando mientras"),
        infinitive_opens=("ar", "er", "ir", "arse", "erse", "irse"),
        reflexive_past=("o", "aron", "ieron"),
        before_infinitives=_words("a para de por al debe deben debera deberan"),
        infinitive_endings=("ar", "er", "ir", "arse", "erse", "irse"),
        failed=_words("logro lograron consiguio fracaso"),
        verbs_before_infinitives=("ó", "aron", "ieron", "amos", "imos", "ado", "ido"),
    ),
    "fr": TenseWords(
        past=_words(
            "tenu tenue tenus tenues reuni reunie reunis reunies eu ete etait etaient avait avaient fut furent pris"
            " prise prises mis mise mises conclu conclue conclus convenu convenue rendu rendue recu recue elu elue"
            " reelu paru parue permis soumis soumise promis accompli accomplie entrepris survenu venu venue devenu"
            " parvenu choisi choisie ont avons etabli etablie etablis etablies intervenu intervenue fait faite faits"
            " eut eurent firent fit vint vinrent tint tinrent prit prirent mit mirent dut vit virent dit ecrit ecrite"
            " ouvert ouverte ouverts ouvertes offert offerte couvert decouvert nee nes mort morts produit produite"
            " conduit"
            " construit construite detruit reduit introduit introduite inscrit inscrite transmis transmise admis"
            " admise"
            " compris appris repris reprise surpris acquis requis survenue survenus survenues issu issue issus issues"
            " paraphe rejoint rejointe atteint atteinte"
            " signee signe signes vecu vaincu convaincu lu lue vu vue recueilli recueillis accueilli"
            " accueillie"
            "franchi franchie lancee publiee rappelle rappellent rappelant rappelons reaffirme reaffirment"
            " reaffirmons"
            " reaffirmant reitere reiterent reiterons reiterant commemore commemorent commemorons remercie remercient"
            " remercions"
        ),
        past_endings=(
            "é",
            "ée",
            "és",
            "ées",
            "ee",
            "ees",
            "yait",
            "tait",
            "llait",
            "ulait",
            "ssait",
            "vait",
            "aient",
            "èrent",
            "irent",
            "urent",
        ),
        ahead=_words(
            "sera seront aura auront tiendra tiendront doit doivent devra devront devrait devraient pourra pourront"
            " prevu prevue prevus prevues attendu attendue attendus attendues"
            " prevoit prevoient entend entendent compte comptent va vont souhaite"
        ),
        ahead_endings=("ra", "ront", "rons", "rait", "raient"),
        neither=_words(
            "annee annees armee armees journee journees idee idees soiree duree entree rentree assemblee allee"
            " arrivee"
            " tournee donnee donnees employe employes depute deputes refugie refugies delegue delegues marche marches"
            " cle cles pre gre degre degres ble musee lycee associe associes prive privee privees eleve elevee lie"
            " liee"
            " lies liees avancee avancees portee securite sante qualite egalite comite comites traite traites societe"
            " societes communaute communautes liberte libertes capacite capacites priorite priorites realite"
            " diversite"
            " solidarite durabilite activite activites responsabilite responsabilites verite pauvrete cote cotes ete"
            " neutralite carboneutralite unite unites autorite autorites universite prosperite stabilite mobilite"
            " difficulte difficultes competitivite sobriete possibilite possibilites necessite complementarite"
            " vulnerabilite integrite dignite parite fiscalite electricite biodiversite souverainete citoyennete"
            " extra para infra premier dernier mer hier papier chantier particulier notre votre autre autres ministre"
            " cadre titre membre lettre centre contre entre nombre ordre avenir plaisir ministere"
        ),
        be=_words("rester restera resteront etre sera seront serait seraient soit soient"),
        was=_words("etait etaient avait avaient fut furent"),
        managed=_words("parvenu parvenue parvenus"),
        called_off=_words("reporte reportee reportes annule annulee annules suspendu suspendue"),
        opens_clause=_words("que qu' qu ou lorsque tandis alors"),
        between=_words("nous se s' le la les y en lui leur"),
        auxiliaries=_words("est sont ont avons ayant etant avait avaient etait etaient fut furent sommes suis ete"),
        participle_endings=("i", "ie", "is", "ies", "u", "ue", "us", "ues", "it", "ite", "its", "ites", "ert", "erte"),
        noun_endings=("ité", "ités"),
        participles=_words(
            "invité invités cité cités limité profité suscité sollicité incité félicité évité exploité habité visité"
            " visités hérité mérité édité traité"
        ),
        infinitive_opens=("er", "ir", "oir", "dre", "tre"),
        before_infinitives=_words("de d' a pour"),
        infinitive_endings=("er", "ir", "re"),
        failed=_words("echoue reussi manque"),
    ),
}
